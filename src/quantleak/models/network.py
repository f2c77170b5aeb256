"""A family of models: modules that are built alike and differ in their parameters and buffers only."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.models.architectures import Shape
from quantleak.ptq.modules.layout import Layout, state


@dataclass(frozen=True, kw_only=True)
class Network:
    """A family of models that differ in their parameters and buffers only.

    Attributes:
        spec: The text it was made from, or a name for a function given in Python.
        build: Makes a module; reads the global random numbers of torch, NumPy and Python and nothing else.
        input_shape: Shape of one example.
        outputs: Width of the module's output.
        constants: Names of buffers that are equal in all models at all times, and so no part of their flat vectors;
            see :func:`quantleak.fleet.constants.constants`.
    """

    spec: str
    build: Callable[[], nn.Module]
    input_shape: Shape
    outputs: int
    constants: frozenset[str] = frozenset()

    @property
    def layout(self) -> Layout:
        """How a model lies in its flat vector: parameters and buffers of every dtype, but for the constants."""
        return self._plan[0]

    @cached_property
    def _plan(self) -> tuple[Layout, dict[str, str]]:
        """The layout, and the class of every submodule by name."""
        module = self._built(seed=0)
        return Layout.of(module, exact=True, constants=self.constants), _kinds(module)

    def module(self, seed: int) -> nn.Module:
        """A freshly initialised module, a function of `seed` alone; global random states are left as they were.

        Raises:
            InputError: If it is not built like all others: a submodule of another class, a tensor of another shape.
        """
        module = self._built(seed)
        layout, usual = self._plan
        kinds = _kinds(module)
        for name in {**usual, **kinds}:
            one, two = usual.get(name, "absent"), kinds.get(name, "absent")
            if one != two:
                raise InputError(
                    f"Model '{self.spec}': submodule '{name}' is {one} in one model and {two} in another, so that one "
                    "cannot be rebuilt from the other. Choose the architecture outside the function."
                )
        layout.require(state(module))
        return module

    def _built(self, seed: int) -> nn.Module:
        with _seeded(seed):
            module = self.build()
        return module.float()

    def rebuilt(self, flat: Float[Tensor, " parameters"]) -> nn.Module:
        """The model of a flat vector: a module of the family that holds these parameters and buffers."""
        module = self.module(seed=0).to(flat.device)
        tensors = state(module)
        with torch.no_grad():
            for name, view in self.layout.views(flat).items():
                tensors[name].copy_(view)
        return module

    def start(self, seed: int) -> Tensor:
        """The flat vector `[P]` of :meth:`module`."""
        return self.layout.flatten(state(self.module(seed)))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _kinds(module: nn.Module) -> dict[str, str]:
    return {name: type(part).__qualname__ for name, part in module.named_modules()}
