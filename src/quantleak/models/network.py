"""What a model is: a module built by name (`linear`, `mlp:128`) or by a function of the user's."""

from __future__ import annotations

import importlib
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError, nearest
from quantleak.models.differences import same
from quantleak.ptq.layout import Layout, state

Shape = tuple[int, ...]
MODELS = {
    "linear": "one linear layer; `linear?bias=false` without bias",
    "mlp": "a perceptron with ReLU; `mlp:128` has one hidden layer of 128, `mlp:256,128` two",
    "package.module:function": "your own: called with the shape of one example and the number of outputs; "
    "a LightningModule is trained by its own steps",
}


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


def network(spec: str | Callable[..., nn.Module], input_shape: Shape, outputs: int) -> Network:
    """The network of a model spec, tried once on two examples, in evaluation and in training.

    Args:
        spec: `linear`, `linear?bias=false`, `mlp:128`, `mlp:256,128`, `package.module:function`, or the function. If
            what it returns is a LightningModule, its own `training_step` and `configure_optimizers` train it.
        input_shape: Shape of one example's features.
        outputs: Number of outputs the task needs.

    Raises:
        InputError: Unknown spec; a model too large to be made; a function that cannot be imported, does not return a
            module of the right output that can be trained and has weights to quantize, or returns modules that differ
            in more than values or draw what no seed fixes.

    Example:
        >>> network("mlp:8", (4,), 1).start(seed=0).shape  # (4 + 1) * 8 + (8 + 1) * 1
        torch.Size([49])
    """
    if not isinstance(spec, str):
        return _seed_decides(_tried(_own(spec, getattr(spec, "__qualname__", "function"), input_shape, outputs)))
    if spec.partition(":")[2].isidentifier() and not spec.startswith(("mlp:", "linear:")):
        return _seed_decides(_tried(_own(_imported(spec), spec, input_shape, outputs)))
    widths, bias = _widths(spec)
    if len(input_shape) != 1:
        raise InputError(
            f"Model '{spec}' takes vectors, but one example has shape {input_shape}. "
            "Give your own model as package.module:function."
        )
    sizes = [input_shape[0], *widths, outputs]
    build = partial(_perceptron, sizes, bias=bias)
    made = Network(spec=spec, build=build, input_shape=input_shape, outputs=outputs)
    return _tried(made, advice="Give fewer or narrower hidden layers.")


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
    widths = [_width(part.strip()) for part in argument.split(",")] if argument else []
    if not all(widths) or (name == "mlp") != bool(widths):
        raise InputError(
            f"Model '{spec}': write linear, or mlp with its hidden widths, such as mlp:128 or mlp:256,128."
        )
    return widths, option != "bias=false"


def _width(text: str) -> int:
    """The number written, 0 if it is none; Python's `int` itself fails on thousands of digits."""
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _imported(spec: str) -> Callable[..., Any]:
    module_name, _, function_name = spec.partition(":")
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, function_name, None)
    # Importing runs the user's code, which can raise anything, or be a script that exits.
    except (Exception, SystemExit) as error:
        raise InputError(
            f"Model '{spec}': cannot import '{module_name}' ({type(error).__name__}: {error}). Write "
            "package.module:function, and run where `python -c 'import package.module'` works."
        ) from error
    if not callable(found):
        names = [name for name, value in vars(module).items() if inspect.isfunction(value) or inspect.isclass(value)]
        raise InputError(
            f"Model '{spec}': '{module_name}' has no function '{function_name}'.{nearest(function_name, names)}"
        )
    function: Callable[..., Any] = found
    return function


def _own(function: Callable[..., Any], spec: str, input_shape: Shape, outputs: int) -> Network:
    build = partial(function, input_shape, outputs)
    return Network(spec=spec, build=build, input_shape=input_shape, outputs=outputs)


def _tried(made: Network, advice: str = "Correct the function.") -> Network:
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


def _seed_decides(made: Network) -> Network:
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


def _require_shape(answers: object, made: Network, call: str) -> Tensor:
    if not isinstance(answers, Tensor) or answers.layout != torch.strided or not answers.is_floating_point():
        seen = f"a tensor of {answers.dtype}, {answers.layout}" if isinstance(answers, Tensor) else type(answers)
        raise InputError(f"{call} answers with {seen}; it must be one dense tensor of real numbers, the logits.")
    if tuple(answers.shape) != (2, made.outputs):
        raise InputError(
            f"{call} answers a batch of 2 with shape {tuple(answers.shape)}; it must be (2, {made.outputs})."
        )
    return answers
