"""The importance of a unit's outputs: the diagonal of the Fisher information of the trained network."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.rng import stream

BATCH = 64
NO_BLOCK = "choose other blocks with ?parts=, a name pattern, or use adaround, which takes single layers."


def importances(trained: nn.Module, inputs: Tensor, units: Collection[str], seed: int) -> dict[str, Tensor]:
    r"""Squared derivatives of the log likelihood by the outputs of units, divided by their mean.

    .. math:: g_i = \left( \frac{\partial \log p(y_i \mid x_i)}{\partial z_i} \right)^2 / \mathrm{mean}

    The label y is drawn from the network's own softmax, so that the mean over draws is the Fisher information
    (arXiv 2102.05426, eq. 10). A network with one output counts as a regression: y cancels, and g is the squared
    derivative of the output.

    Args:
        trained: The network, in evaluation mode.
        inputs: Calibration examples.
        units: Names of the units.
        seed: Of the labels.

    Returns:
        By name of a unit that runs, float32, the shape of its output on all examples.
    """
    random = torch.Generator().manual_seed(int(stream(seed, "labels of the Fisher information").integers(1 << 62)))
    found: dict[str, list[Tensor]] = {}
    for batch in inputs.split(BATCH):
        outputs: dict[str, Tensor] = {}

        hooks = [trained.get_submodule(name).register_forward_hook(partial(_keep, outputs, name)) for name in units]
        try:
            with torch.enable_grad():
                likelihood = _log_likelihood(trained(batch), random)
        finally:
            for hook in hooks:
                hook.remove()
        slopes = torch.autograd.grad(likelihood, list(outputs.values()), allow_unused=True)
        for name, slope in zip(outputs, slopes, strict=True):
            squared = torch.zeros_like(outputs[name]) if slope is None else slope.square()
            found.setdefault(name, []).append(squared.detach())
    return {name: _normalised(torch.cat(parts)) for name, parts in found.items()}


def _keep(outputs: dict[str, Tensor], name: str, unit: nn.Module, given: tuple[Any, ...], output: Any) -> Tensor:
    """Record the output of a unit's first call as a tensor that derivatives can be taken by."""
    if not isinstance(output, Tensor):
        raise InputError(f"'{name}' returns {type(output).__name__}, not a tensor: {NO_BLOCK}")
    if name in outputs:
        return output
    outputs[name] = output if output.requires_grad else output.detach().requires_grad_()
    return outputs[name]


def _log_likelihood(outputs: Tensor, random: torch.Generator) -> Tensor:
    logits = outputs.flatten(0, -2) if outputs.ndim > 1 else outputs[:, None]
    if logits.shape[-1] == 1:
        return logits.sum()
    chances = logits.detach().softmax(-1).cpu()
    labels = torch.multinomial(chances, 1, generator=random).to(logits.device)
    return logits.log_softmax(-1).gather(-1, labels).sum()


def _normalised(squared: Tensor) -> Tensor:
    mean = squared.mean()
    return squared / mean if bool(mean > 0) else torch.ones_like(squared)
