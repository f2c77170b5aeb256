"""Models that other libraries have quantized, as plain modules of their dequantized weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError

Reader = Callable[[Any], nn.Module]
ADVICE = "Give its dequantized weights as a plain torch module."


def dequantized(model: nn.Module) -> nn.Module:
    """A plain module with the weights that a quantized one computes with.

    Read are tensors that can dequantize themselves, as those of torchao, and the layers of hqq. The plain module
    computes what the quantized one does, up to rounding errors of its kernels.

    Args:
        model: A module, quantized by another library or not; nothing of it changes.

    Returns:
        A copy in evaluation mode; the model itself if it is plain already.

    Raises:
        InputError: A parameter or layer that cannot be read, or that quantizes activations too, by name.
    """
    if not any(_is_foreign(part) for part in model.modules()):
        return model
    # Layers that are read as a whole stand in the copy as what was read: some cannot be copied.
    read = {id(part): READERS[type_name(part)](part) for part in model.modules() if type_name(part) in READERS}
    return _plain(copy.deepcopy(model, read).eval())


def _plain(made: nn.Module) -> nn.Module:
    """With every parameter dequantized, in place."""
    for name, part in made.named_modules():
        if type_name(part).startswith(("torch.ao.nn.", "torch.nn.quantized.")):
            raise InputError(
                f"'{name}' ({type_name(part)}) quantizes activations too, which its dequantized weights do not show. "
                f"{ADVICE}"
            )
        for short, parameter in list(part._parameters.items()):
            if parameter is not None and _is_quantized(parameter):
                full = f"{name}.{short}".lstrip(".")
                part._parameters[short] = nn.Parameter(_read(full, part, parameter), requires_grad=False)
    return made


def type_name(part: nn.Module) -> str:
    """The full name of a module's class."""
    return f"{type(part).__module__}.{type(part).__qualname__}"


def _is_foreign(part: nn.Module) -> bool:
    name = type_name(part)
    if name in READERS or name.startswith(("torch.ao.nn.", "torch.nn.quantized.")):
        return True
    return any(one is not None and _is_quantized(one) for one in part._parameters.values())


def _is_quantized(parameter: Tensor) -> bool:
    plain = type(parameter.data) is Tensor and not parameter.is_quantized
    return not plain or not parameter.is_floating_point()


@torch.no_grad()
def _read(name: str, part: nn.Module, parameter: Tensor) -> Tensor:
    kind = type(parameter.data).__name__
    if getattr(parameter, "act_quant_kwargs", None) is not None or "Activation" in kind:
        raise InputError(
            f"'{name}' of {type(part).__name__} ({kind}) quantizes activations too, which its dequantized weights do "
            f"not show. {ADVICE}"
        )
    values = parameter.dequantize() if parameter.is_floating_point() or parameter.is_quantized else None
    if values is None or type(values) is not Tensor or not values.is_floating_point():
        raise InputError(
            f"'{name}' of {type(part).__name__} ({kind}, {parameter.dtype}) cannot be dequantized. {ADVICE}"
        )
    return values.detach().float().clone()


@torch.no_grad()
def _hqq_linear(layer: Any) -> nn.Module:
    weight = layer.dequantize().float()
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None)
    made.weight = nn.Parameter(weight.clone(), requires_grad=False)
    if layer.bias is not None:
        made.bias = nn.Parameter(layer.bias.detach().float().clone(), requires_grad=False)
    return made.eval()


READERS: dict[str, Reader] = {"hqq.core.quantize.HQQLinear": _hqq_linear}
"""By class, how a layer that keeps its weight in a form of its own becomes a plain one."""
