"""The weights of a module that can be quantized, each as a matrix of rows that share one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from quantleak.errors import InputError

Kind = Literal["linear", "convolution", "transposed", "embedding", "other"]

NORMS = (_NormBase, _BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.PReLU)
"""Modules whose parameters are no weights of products: they are left as they are."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """One weight of a module.

    Attributes:
        name: Of the parameter; of a shared one, where it stands first.
        layer: Of the module that it belongs to; several share it if it is tied.
        kind: What is done with it: `other` are recurrent and attention weights and parameters of a user's own modules.
        shape: Of the parameter.
        groups: Independent groups of a convolution.
        tied: Other names of the same parameter.
    """

    name: str
    layer: str
    kind: Kind
    shape: tuple[int, ...]
    groups: int = 1
    tied: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Output channels: each has a scale of its own."""
        if self.kind == "transposed":
            return self.shape[1] * self.groups
        return self.shape[0]

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return torch.Size(self.shape).numel()

    @property
    def calibrated(self) -> bool:
        """Whether its product with inputs can be followed, as data-aware rules need."""
        return self.kind in ("linear", "convolution", "transposed")

    def matrix(self, weight: Float[Tensor, " ..."]) -> Float[Tensor, "groups rows columns"]:
        """One matrix per group, output channels by inputs; the kernel of a transposed convolution is flipped."""
        if self.kind != "transposed":
            return weight.reshape(self.groups, self.shape[0] // self.groups, -1)
        inputs, outputs, *_ = self.shape
        parts = weight.flip(tuple(range(2, weight.ndim))).reshape(self.groups, inputs // self.groups, outputs, -1)
        return parts.transpose(1, 2).reshape(self.groups, outputs, -1)

    def weight(self, matrix: Float[Tensor, "groups rows columns"]) -> Float[Tensor, " ..."]:
        """The inverse of :meth:`matrix`."""
        if self.kind != "transposed":
            return matrix.reshape(self.shape)
        inputs, outputs, *_ = self.shape
        parts = matrix.reshape(self.groups, outputs, inputs // self.groups, -1).transpose(1, 2)
        return parts.reshape(self.shape).flip(tuple(range(2, len(self.shape))))


def weights_of(module: nn.Module) -> tuple[Weight, ...]:
    """The weights of a module in the order of its parameters, a shared one once.

    Weights are floating-point parameters of two or more dimensions, but for those of norms.

    Raises:
        InputError: If there is none; parameters that have no values yet, are quantized already, or are computed from
            others (pruning, weight norm): each by name.
    """
    found: dict[int, Weight] = {}
    for name, part in module.named_modules():
        for short, parameter in part._parameters.items():
            if parameter is None:
                continue
            full = f"{name}.{short}".lstrip(".")
            _refuse_unusable(full, short, part, parameter)
            if parameter.ndim < 2 or not parameter.is_floating_point() or isinstance(part, NORMS):
                continue
            if id(parameter) in found:
                found[id(parameter)] = _with_name(found[id(parameter)], full, part)
            else:
                groups = part.groups if isinstance(part, _ConvNd) else 1
                shape = tuple(parameter.shape)
                kind = _kind(module, name, part, short)
                found[id(parameter)] = Weight(name=full, layer=name, kind=kind, shape=shape, groups=groups)
    if not found:
        raise InputError(
            f"{type(module).__name__} has no weight of two or more dimensions: there is nothing to quantize."
        )
    return tuple(found.values())


def _with_name(weight: Weight, name: str, part: nn.Module) -> Weight:
    """A tied weight; a layer that multiplies comes before an embedding, whose rows it quantizes as well."""
    tied = (*weight.tied, name)
    if weight.kind == "embedding" and isinstance(part, nn.Linear):
        layer = name.rpartition(".")[0]
        return Weight(name=weight.name, layer=layer, kind="linear", shape=weight.shape, tied=tied)
    return Weight(
        name=weight.name, layer=weight.layer, kind=weight.kind, shape=weight.shape, groups=weight.groups, tied=tied
    )


def _kind(module: nn.Module, name: str, part: nn.Module, short: str) -> Kind:
    if short != "weight":
        return "other"
    above = module.get_submodule(name.rpartition(".")[0]) if name else module
    if isinstance(above, nn.MultiheadAttention):
        return "other"  # reads the weight of its output layer without calling it
    if isinstance(part, nn.Linear):
        return "linear"
    if isinstance(part, _ConvTransposeNd):
        return "transposed"
    if isinstance(part, _ConvNd):
        return "convolution"
    return "embedding" if isinstance(part, nn.Embedding) else "other"


def _refuse_unusable(name: str, short: str, part: nn.Module, parameter: Tensor) -> None:
    kind = type(part).__name__
    if isinstance(parameter, UninitializedParameter | UninitializedBuffer):
        raise InputError(f"'{name}' of {kind} has no values yet: call the model on one batch of inputs first.")
    if type(parameter.data) is not Tensor or parameter.is_quantized:
        raise InputError(
            f"'{name}' of {kind} is quantized already ({type(parameter.data).__name__}). ql.dequantized(model) makes a "
            "plain module of its dequantized weights."
        )
    derived = {"weight_orig": "torch.nn.utils.prune.remove", "weight_v": "torch.nn.utils.remove_weight_norm"}
    if short in derived or ".parametrizations." in f".{name}":
        undo = derived.get(short, "torch.nn.utils.parametrize.remove_parametrizations")
        raise InputError(f"'{name}' is not the weight itself, which is computed from it: call {undo} first.")
    if parameter.is_floating_point() and not bool(torch.isfinite(parameter).all()):
        raise InputError(f"'{name}' of {kind} holds NaN or infinite values: the model has diverged.")
