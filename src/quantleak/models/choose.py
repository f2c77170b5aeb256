"""The network of a model spec: a registered architecture, or a function of the user's, tried before training."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError, nearest
from quantleak.models.architectures import ARCHITECTURES, Shape
from quantleak.models.differences import same
from quantleak.models.network import Network
from quantleak.ptq.modules.layout import Layout, state
from quantleak.registry import Listing
from quantleak.spec import split_name


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


USERS_OWN = Listing(
    name="",
    description="Your own: called with the shape of one example and the number of outputs; a LightningModule is "
    "trained by its own steps.",
    example="package.module:function",
)


def available() -> list[Listing]:
    """Every architecture there is, and how a function of the user's is named."""
    return [*ARCHITECTURES.available(), USERS_OWN]


def network(spec: str | Callable[..., nn.Module], input_shape: Shape, outputs: int) -> Network:
    """The network of a model spec, tried once on two examples, in evaluation and in training.

    Args:
        spec: Of a registered architecture (`linear`, `mlp:256,128`, `resnet:8`, `conv:16,32`), or
            `package.module:function`, or the function. If what it returns is a LightningModule, its own `training_step`
            and `configure_optimizers` train it.
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
        return _user_network(spec, getattr(spec, "__qualname__", "function"), input_shape, outputs)
    if ARCHITECTURES.find(split_name(spec)[0]) is None and spec.partition(":")[2].isidentifier():
        return _user_network(_imported(spec), spec, input_shape, outputs)
    architecture = ARCHITECTURES.read(spec)
    architecture.require(input_shape)
    made = Network(
        spec=spec, build=partial(architecture.build, input_shape, outputs), input_shape=input_shape, outputs=outputs
    )
    return seed_decides(tried(made, advice="Give fewer or narrower layers."))


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


def _user_network(function: Callable[..., Any], spec: str, input_shape: Shape, outputs: int) -> Network:
    build = partial(function, input_shape, outputs)
    return seed_decides(tried(Network(spec=spec, build=build, input_shape=input_shape, outputs=outputs)))
