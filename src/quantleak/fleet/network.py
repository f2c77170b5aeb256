"""What a model is: a module built by name (`linear`, `mlp:128`) or by a function of the user's."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError, nearest
from quantleak.fleet.layout import Layout, state

Shape = tuple[int, ...]
MODELS = {
    "linear": "one linear layer; `linear?bias=false` without bias",
    "mlp": "a perceptron with ReLU; `mlp:128` has one hidden layer of 128, `mlp:256,128` two",
    "package.module:function": "your own: called with the shape of one example and the number of outputs",
}


@dataclass(frozen=True, kw_only=True)
class Network:
    """A family of models that differ in their random start only.

    Attributes:
        spec: The text it was made from, or a name for a function given in Python.
        build: Makes a module; reads torch's global random numbers and nothing else.
        input_shape: Shape of one example.
        outputs: Width of the module's output.
    """

    spec: str
    build: Callable[[], nn.Module]
    input_shape: Shape
    outputs: int

    def module(self, seed: int) -> nn.Module:
        """A freshly initialised module, a function of `seed` alone; torch's global state is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = self.build()
        return module.float()

    def start(self, seed: int) -> Tensor:
        """The flat vector `[P]` of :meth:`module`."""
        module = self.module(seed)
        return Layout.of(module).flatten(state(module))


def network(spec: str | Callable[..., nn.Module], input_shape: Shape, outputs: int) -> Network:
    """The network of a model spec, tried once on one example.

    Args:
        spec: `linear`, `linear?bias=false`, `mlp:128`, `mlp:256,128`, `package.module:function`, or the function.
        input_shape: Shape of one example's features.
        outputs: Number of outputs the task needs.

    Raises:
        InputError: Unknown spec; a function that cannot be imported or does not return a module of the right output.

    Example:
        >>> network("mlp:8", (4,), 1).start(seed=0).shape  # (4 + 1) * 8 + (8 + 1) * 1
        torch.Size([49])
    """
    if not isinstance(spec, str):
        return _own(spec, getattr(spec, "__qualname__", "function"), input_shape, outputs)
    if spec.partition(":")[2].isidentifier() and not spec.startswith(("mlp:", "linear:")):
        return _own(_imported(spec), spec, input_shape, outputs)
    widths, bias = _widths(spec)
    if len(input_shape) != 1:
        raise InputError(
            f"Model '{spec}' takes vectors, but one example has shape {input_shape}. "
            "Give your own model as package.module:function."
        )
    sizes = [input_shape[0], *widths, outputs]
    return Network(spec=spec, build=lambda: _perceptron(sizes, bias=bias), input_shape=input_shape, outputs=outputs)


def _perceptron(sizes: list[int], *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _widths(spec: str) -> tuple[list[int], bool]:
    """Hidden widths and bias of a `linear` or `mlp` spec."""
    head, _, option = spec.partition("?")
    name, _, argument = head.partition(":")
    advice = f"Model '{spec}' is not one of: " + ", ".join(MODELS) + "."
    if name not in {"linear", "mlp"}:
        raise InputError(advice + nearest(name, ["linear", "mlp"]))
    if option not in {"", "bias=false", "bias=true"}:
        raise InputError(f"Model '{spec}': the only option is bias=true or bias=false, got '{option}'.")
    parts = argument.split(",") if argument else []
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts) or (name == "mlp") != bool(parts):
        raise InputError(
            f"Model '{spec}': write linear, or mlp with its hidden widths, such as mlp:128 or mlp:256,128."
        )
    return [int(part) for part in parts], option != "bias=false"


def _imported(spec: str) -> Callable[..., Any]:
    module_name, _, function_name = spec.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(
            f"Model '{spec}': cannot import '{module_name}' ({error}). Write package.module:function, and run where "
            "`python -c 'import package.module'` works."
        ) from error
    found = getattr(module, function_name, None)
    if not callable(found):
        names = [name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)]
        raise InputError(
            f"Model '{spec}': '{module_name}' has no function '{function_name}'.{nearest(function_name, names)}"
        )
    function: Callable[..., Any] = found
    return function


def _own(function: Callable[..., Any], spec: str, input_shape: Shape, outputs: int) -> Network:
    made = Network(spec=spec, build=lambda: function(input_shape, outputs), input_shape=input_shape, outputs=outputs)
    call = f"Model '{spec}' called with input shape {input_shape} and {outputs} outputs"
    try:
        module = made.module(seed=0)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            shape = tuple(module.eval()(torch.zeros(2, *input_shape)).shape)
    except Exception as error:
        raise InputError(f"{call} failed: {type(error).__name__}: {error}") from error
    if shape != (2, outputs):
        raise InputError(f"{call} answers a batch of 2 with shape {shape}; it must be (2, {outputs}).")
    return made
