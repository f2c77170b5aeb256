"""Batch norms: folded into the layer before them, or their statistics taken again after quantization."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from quantleak.errors import InputError
from quantleak.ptq.modules.trace import executed

PROBE = 4
"""Examples on which a folded module is compared with the one that it was made from."""
TOLERANCE = 1e-4
BATCH = 128


def pairs(module: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """Layers and the batch norms that read their output, as they ran."""
    found = []
    for (layer, _, output), (norm, first, _) in pairwise(executed(module, example)):
        foldable = isinstance(module.get_submodule(layer), (nn.Linear, _ConvNd))
        part = module.get_submodule(norm)
        if foldable and isinstance(part, _BatchNorm) and part.running_var is not None and first is output:
            found.append((layer, norm))
    once = [layer for layer, _ in found]
    return [pair for pair in found if once.count(pair[0]) == 1]


@torch.no_grad()
def fold(module: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    r"""Fold every batch norm into the layer before it, in place: :math:`w' = w g / \sqrt{v + \epsilon}`.

    The norm becomes the identity, the layer gets the bias :math:`b' = \beta + (b - m) g / \sqrt{v + \epsilon}`.

    Args:
        module: In evaluation mode.
        example: A few examples that show which norm follows which layer.

    Returns:
        The pairs of layers and norms.

    Raises:
        InputError: If the folded module computes something else: a layer's output is used elsewhere too.
    """
    found = pairs(module, example[:PROBE])
    before = module(example[:PROBE])
    _fold_pairs(module, found)
    after = module(example[:PROBE])
    if not torch.allclose(before, after, rtol=TOLERANCE, atol=TOLERANCE * float(before.abs().max())):
        raise InputError(
            "Folding the batch norms changes what the model computes: the output of a layer is read by its norm and by "
            "something else. Use fold=false."
        )
    return found


def fold_like(module: nn.Module, names: Collection[str]) -> None:
    """Give a module the structure after folding that tensors of these names have, in place: norms gone, biases new."""
    for name, part in list(module.named_modules()):
        if isinstance(part, _BatchNorm) and not any(key.startswith(f"{name}.") for key in names):
            _remove(module, name)
        elif isinstance(part, (nn.Linear, _ConvNd)) and part.bias is None and f"{name}.bias" in names:
            channels = part.out_features if isinstance(part, nn.Linear) else part.out_channels
            _set_bias(part, part.weight.new_zeros(channels))


def _remove(module: nn.Module, name: str) -> None:
    above, _, short = name.rpartition(".")
    setattr(module.get_submodule(above), short, nn.Identity())


def _set_bias(layer: nn.Linear | _ConvNd, bias: Tensor) -> None:
    layer.bias = nn.Parameter(bias.detach().clone(), requires_grad=layer.weight.requires_grad)


@torch.no_grad()
def _fold_pairs(module: nn.Module, found: list[tuple[str, str]]) -> None:
    for layer_name, norm_name in found:
        layer, norm = module.get_submodule(layer_name), module.get_submodule(norm_name)
        assert isinstance(layer, (nn.Linear, _ConvNd))
        assert isinstance(norm, _BatchNorm)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        factor = (norm.running_var + norm.eps).rsqrt()
        factor = factor if norm.weight is None else factor * norm.weight
        bias = -norm.running_mean if layer.bias is None else layer.bias - norm.running_mean
        bias = bias * factor if norm.bias is None else bias * factor + norm.bias
        layer.weight.copy_(layer.weight * _per_channel(layer, factor))
        _set_bias(layer, bias)
        _remove(module, norm_name)


def _per_channel(layer: nn.Linear | _ConvNd, factor: Tensor) -> Tensor:
    """The factors of output channels, shaped to multiply the weight."""
    if not isinstance(layer, _ConvTransposeNd):
        return factor.view(-1, *(1,) * (layer.weight.ndim - 1))
    # [inputs, outputs / groups, ...]: the inputs of a group meet its own outputs.
    inputs = layer.in_channels // layer.groups
    per_group = factor.view(layer.groups, 1, -1).expand(-1, inputs, -1).reshape(layer.in_channels, -1)
    return per_group.view(*per_group.shape, *(1,) * (layer.weight.ndim - 2))


@torch.no_grad()
def retune(module: nn.Module, inputs: Tensor) -> int:
    """Take the statistics of every batch norm again on these inputs, in place: the mean over batches of 128.

    Returns:
        How many norms there are.
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for batch in inputs.split(BATCH):
        if len(batch) > 1 or len(inputs) == 1:
            module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
    return len(norms)
