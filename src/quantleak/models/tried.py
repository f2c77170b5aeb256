"""Tries a network before anything is trained: its output, its training, its weights, and what its seed fixes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.models.differences import same
from quantleak.models.network import Network
from quantleak.ptq.layout import Layout, state


def tried(made: Network, advice: str = "Correct the function.") -> Network:
    """The network, if its module can be made, evaluated, trained and quantized."""
    call = f"Model '{made.spec}' called with input shape {made.input_shape} and {made.outputs} outputs"
    inputs = torch.zeros(2, *made.input_shape)
    with _explained(call, advice), torch.random.fork_rng(devices=[]):
        module = made.module(seed=0)
        _require_weights(module, call)
        with torch.no_grad():
            _require_shape(module.eval()(inputs), made, call)
    with _explained(f"{call}, in training mode,", advice), torch.random.fork_rng(devices=[]), torch.enable_grad():
        _require_shape(module.train()(inputs), made, f"{call}, in training mode,").sum().backward()
    return made


@contextmanager
def _explained(call: str, advice: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # The first line: torch appends its own stack to some.
        reason = next(iter(str(error).splitlines()), "")
        raise InputError(f"{call} failed: {type(error).__name__}: {reason}. {advice}") from error


def seed_decides(made: Network) -> Network:
    """The network, if a seed fixes each of its models and all are built alike."""
    one, again = (state(made.module(seed=0)) for _ in range(2))
    for name, tensor in one.items():
        if not same(tensor, again[name]):
            raise InputError(
                f"Model '{made.spec}': '{name}' differs between two modules that were built with the same seed. Draw "
                "it with torch, as in torch.randn(...), or with np.random or random, without a generator of your own."
            )
    made.module(seed=1)
    return made


def _require_weights(module: nn.Module, call: str) -> None:
    for name, tensor in state(module).items():
        if tensor.layout != torch.strided:
            raise InputError(f"{call}: '{name}' is a sparse tensor; make it dense with .to_dense().")
    for name, parameter in module.named_parameters():
        if parameter.is_complex():
            raise InputError(
                f"{call} has complex weights in '{name}', and no quantizer knows what they are. Keep real and "
                "imaginary parts as two parameters: torch.view_as_real(...) and torch.view_as_complex(...) convert."
            )
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise InputError(f"{call} has no trainable parameters. Return a module with layers to train.")
    if not any(slot.role == "weight" for slot in Layout.of(module).slots):
        raise InputError(
            f"{call} has no weight of two or more dimensions: there is nothing to quantize. Return a module with a "
            "linear or convolutional layer."
        )


def _require_shape(outputs: object, made: Network, call: str) -> Tensor:
    if not isinstance(outputs, Tensor) or outputs.layout != torch.strided or not outputs.is_floating_point():
        seen = f"a tensor of {outputs.dtype}, {outputs.layout}" if isinstance(outputs, Tensor) else type(outputs)
        raise InputError(f"{call} returns {seen}; it must be one dense tensor of real numbers, the logits.")
    if tuple(outputs.shape) != (2, made.outputs):
        raise InputError(
            f"{call} returns for a batch of 2 the shape {tuple(outputs.shape)}; it must be (2, {made.outputs})."
        )
    return outputs
