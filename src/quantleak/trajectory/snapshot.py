"""A model at one moment: its tensors as one flat vector, and as the module computes with them once quantized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from quantleak.errors import InputError
from quantleak.ptq import Elementwise
from quantleak.ptq.modules.layout import Layout, state
from quantleak.trajectory.batches import inputs_and_targets, outputs_of
from quantleak.trajectory.fingerprint import vector_digest
from quantleak.trajectory.undisturbed import Reachable

_WRAPPERS = {"DistributedDataParallel", "DataParallel", "_FabricModule"}
_COUNTER = "num_batches_tracked"  # BatchNorm counts, and no prediction depends on it


def unwrapped(model: nn.Module) -> nn.Module:
    """The user's module inside what DDP, Fabric and `torch.compile` put around it."""
    while True:
        if type(model).__name__ in _WRAPPERS:
            inner = model.module
        elif hasattr(model, "_orig_mod"):
            inner = model._orig_mod
        else:
            return model
        assert isinstance(inner, nn.Module)
        model = inner


@dataclass(frozen=True, eq=False)
class Element:
    """One element of `Theta_bar`: the tensors that a module computes with, and their digest.

    Two elements are one if their SHA-256 are equal; the sign of a zero does not count.
    """

    tensors: dict[str, Tensor]
    digest: bytes


class Snapshot:
    """The tensors of a module now; the module itself is never changed.

    Args:
        model: The user's module, unwrapped.

    Raises:
        InputError: If the module has no weight of two or more dimensions, or tensors that are not plain.
    """

    def __init__(self, model: nn.Module) -> None:
        _refuse_unusable(model)
        self.layout = Layout.of(model)
        self._state = state(model)
        self.flat = self.layout.flatten(self._state)
        named = {slot.name for slot in self.layout.slots}
        self._beside = {
            name: tensor
            for name, tensor in self._state.items()
            if name not in named and name.rpartition(".")[2] != _COUNTER
        }

    def quantized(self, rule: Elementwise) -> Element:
        """The element of this moment."""
        flat = rule.quantize_flat(self.layout, self.flat)
        # Half-precision models are computed in float32, so that no product is rounded on the way.
        tensors = {
            name: view.to(torch.promote_types(self._state[name].dtype, torch.float32))
            for name, view in self.layout.views(flat).items()
        }
        return Element(tensors, vector_digest(flat, *self._beside.values()))


class Caller(nn.Module):
    """Runs a user's `forward(model, batch)` on a module whose tensors stand in for its own during the call.

    Every call finds the module as it was recorded: no element sees what another left in a cache or a counter.

    Args:
        model: The user's module; registered here, not changed.
        reached: What the module reaches, to be put back after every call.
        forward: `(model, batch) -> (outputs, targets)`; None for `model(inputs)` of a batch `(inputs, targets)`.
    """

    def __init__(self, model: nn.Module, reached: Reachable, forward: Any = None) -> None:
        super().__init__()
        self.model = model
        self._reached = reached
        self._forward = forward or plain_forward
        self._named = {"model." + name: tensor for name, tensor in state(model).items()}

    @property
    def dtype(self) -> torch.dtype:
        """What batches must have at least: float64 for a float64 model, which trainers may feed float32."""
        kinds = {parameter.dtype for parameter in self.parameters() if parameter.is_floating_point()}
        return torch.float64 if kinds == {torch.float64} else torch.float32

    def forward(self, batch: Any) -> Any:
        """Outputs and targets of a batch."""
        return self._forward(self.model, batch)

    def run(self, tensors: dict[str, Tensor], batch: Any) -> tuple[Any, Any]:
        """Outputs and targets of a batch with these tensors in place of the module's.

        Buffers are handed over as copies: what a forward pass writes into them is gone afterwards.
        """
        buffers = {name for name, _ in self.named_buffers()}
        stand_in = {"model." + name: tensor for name, tensor in tensors.items()}
        for name in buffers:
            stand_in[name] = stand_in.get(name, self._named[name]).clone()
        found = functional_call(self, stand_in, (batch,))
        self._reached.rewind()
        if not isinstance(found, tuple) or len(found) != 2:
            raise InputError(
                f"forward(model, batch) must return (outputs, targets), got {type(found).__name__}; for example "
                "lambda model, batch: (model(batch['x']), batch['y'])."
            )
        return found


def plain_forward(model: nn.Module, batch: Any) -> tuple[Any, Any]:
    """`model(inputs)`, or `model(**inputs)` for a mapping, and the targets."""
    inputs, targets = inputs_and_targets(batch)
    # Accelerate puts autocast around the forward of a model that trains in mixed precision and keeps the original.
    call = getattr(model, "_original_forward", model)
    return outputs_of(call(**inputs) if isinstance(inputs, dict) else call(inputs)), targets


def _refuse_unusable(model: nn.Module) -> None:
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        if parameter.is_complex():
            raise InputError(
                f"Parameter '{name}' is complex, and no quantizer knows what that is. Keep real and imaginary parts as "
                "two parameters: torch.view_as_real(...) and torch.view_as_complex(...) convert."
            )
        if is_lazy(parameter) or type(parameter.data) is not Tensor or parameter.layout != torch.strided:
            raise InputError(
                f"Parameter '{name}' is not a plain tensor ({type(parameter.data).__name__}): run a lazy module once "
                "first; sharded (FSDP) and already quantized parameters cannot be tracked."
            )
    if not any(parameter.is_floating_point() and parameter.ndim >= 2 for parameter in parameters.values()):
        raise InputError(
            f"{type(model).__name__} has no weight of two or more dimensions: there is nothing to quantize. Give the "
            "whole model; parameters sharded or flattened by FSDP cannot be tracked."
        )
