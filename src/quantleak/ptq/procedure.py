"""The seam of post-training quantization: from one trained module to a quantized one."""

from __future__ import annotations

import copy
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from quantleak.ptq.modules.layout import COUNTER, state
from quantleak.spec import Specified, write_spec

UnquantizedDtype = Literal["bfloat16", "float16", "float32"]

MEMBERS, HELD_OUT, PUBLIC, SYNTHETIC = SOURCES = ("members", "held-out", "public", "synthetic")
"""Of calibration examples: a model's own training data, examples used for nothing else, other data, noise."""


@dataclass(frozen=True, kw_only=True)
class Procedure(Specified, ABC):
    """Makes a quantized module from one trained module, its calibration rows and a seed.

    A procedure is a frozen keyword-only dataclass of its settings that holds no run state. `check_procedure` of
    :mod:`quantleak.testing` says what holds of one.

    Attributes:
        unquantized_dtype: To what biases, norms and buffers are rounded, if the procedure rounds them.
    """

    unquantized_dtype: UnquantizedDtype = field(default="bfloat16", metadata={"spec": False})

    @property
    def spec(self) -> str:
        """The canonical spec; equal procedures have equal ones."""
        return write_spec(self)

    @property
    @abstractmethod
    def discrete(self) -> bool:
        """Whether the quantized models form a discrete set, without which there is no r_Q."""

    @property
    def every_epoch(self) -> bool:
        """Whether it is cheap enough to follow every evaluated epoch, as r_Q needs, or the last only."""
        return False

    @property
    def calibration_rows(self) -> int:
        """How many examples it is calibrated on at most; 0 if it needs no data."""
        return 0

    @property
    def calibration_source(self) -> str:
        """Where an audit takes these examples from, one of `SOURCES`."""
        return MEMBERS

    @property
    def data_free(self) -> bool:
        """Whether its models depend on no training data but through the trained module.

        Whoever holds that module can then make such models, with examples of the same source if it needs any.
        """
        return not self.calibration_rows or self.calibration_source != MEMBERS

    @property
    def is_control(self) -> bool:
        """Whether it is there for comparison only, and never recommended."""
        return False

    @property
    def is_baseline(self) -> bool:
        """Whether it leaves every model as it is: the full-precision baseline."""
        return False

    @property
    def no_rate(self) -> str | None:
        """Why its models have no r_Q; None if they have one."""
        if not self.discrete:
            return "not a discrete set of parameters"
        return None if self.every_epoch else "no trajectory: models are quantized after the last epoch only"

    @abstractmethod
    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        """Quantize one trained module.

        Args:
            model: The trained module. Nothing of it changes.
            calibration: Inputs `[examples, ...]`, at most `calibration_rows` of them; None for a procedure that needs
                no data.
            seed: Fixes all that is drawn; the generators of torch, NumPy and Python stay as they are.

        Returns:
            A module of its own in evaluation mode. Its parameters and buffers are all that its predictions depend on:
            :meth:`restored` brings it back from them, :func:`digest` stands for it.
        """

    @abstractmethod
    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        """Bits per number of one of its quantized modules as stored, overhead included.

        Args:
            quantized: The module.
            constants: Names of tensors that are equal in all models, and so need not be stored with each.
        """

    def restored(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
        """The quantized module that has these tensors, as :func:`~quantleak.ptq.modules.layout.state` gave them.

        A procedure whose quantized modules are built in another way than the trained ones says here how.

        Args:
            model: A module of the trained one's family, whatever its values. Nothing of it changes.
            tensors: Parameters and buffers by name; those left out stay as they are in `model`.
        """
        made = copy.deepcopy(model).eval()
        own = state(made)
        with torch.no_grad():
            for name, tensor in tensors.items():
                own[name].copy_(tensor)
        return made


def digest(module: nn.Module) -> bytes:
    """SHA-256 of everything that determines a module's predictions: name, dtype, shape and values of its tensors.

    The sign of a zero does not count, nor does the number of batches that a norm has seen.
    """
    total = hashlib.sha256()
    for name, tensor in state(module).items():
        if name.rpartition(".")[2] == COUNTER:
            continue
        values = tensor.detach().cpu()
        values = values + 0.0 if values.is_floating_point() else values
        total.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        total.update(values.contiguous().flatten().view(torch.uint8).numpy().data)
    return total.digest()
