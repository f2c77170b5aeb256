"""The network of a model spec: a registered architecture, or a function of the user's."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from quantleak.errors import InputError, nearest
from quantleak.models.architectures import ARCHITECTURES, Shape
from quantleak.models.network import Network
from quantleak.models.tried import seed_decides, tried
from quantleak.registry import Listing
from quantleak.spec import split_name

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
        spec: Of a registered architecture (`linear`, `linear?bias=false`, `mlp:256,128`), or `package.module:function`,
            or the function. If what it returns is a LightningModule, its own `training_step` and `configure_optimizers`
            train it.
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
    return seed_decides(tried(made, advice="Give fewer or narrower hidden layers."))


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
