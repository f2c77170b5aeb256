"""Vector quantization: vectors of weights replaced by the nearest entry of a codebook."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from quantleak.arrays import packed
from quantleak.errors import InputError
from quantleak.quantizers.base import Quantizer, batch_shape
from quantleak.quantizers.kmeans import learn_entries, nearest_entries
from quantleak.quantizers.registry import register

Entries = tuple[tuple[float, ...], ...]


@register("codebook", example="codebook:16")
@dataclass(frozen=True, kw_only=True)
class Codebook(Quantizer):
    r"""The nearest entry, in Euclidean distance, for each vector of consecutive weights.

    .. math:: Q(\theta)_j = \arg\min_{c \in \{c_1 \dots c_K\}} \| \theta_j - c \|, \qquad \theta_j \in R^B

    The flattened tensor is cut into vectors of B; the last is filled up with zeros, which are dropped again. A tie
    goes to the entry that comes first. Source: [Aubinais2025]_, Example 2.3.

    The codebook is either *given* (`entries`, the same for every tensor) or *learned* for each tensor by k-means and
    then rounded to bfloat16, so that the values form a discrete set; see `kmeans.learn_entries`. A tensor with at
    most K distinct vectors, all exact in bfloat16, is its own quantization.

    Args:
        size: K, the number of entries to learn.
        dim: B, the number of consecutive weights in a vector.
        entries: A given codebook: values [K] or [K, B], a tensor or nested sequence. Repeated entries are dropped.

    Raises:
        InputError: If the settings are out of range, or both or neither of `size` and `entries` are given.

    Example:
        >>> Codebook(entries=[-1.0, 0.0, 1.0])(torch.tensor([0.2, -0.8, 0.5]))
        tensor([ 0., -1.,  0.])
    """

    positional: ClassVar[tuple[str, ...]] = ("size",)
    size: int | None = None
    dim: int = 1
    entries: Tensor | Sequence[float] | Sequence[Sequence[float]] | None = field(default=None, metadata={"spec": False})

    def __post_init__(self) -> None:
        if (self.size is None) == (self.entries is None):
            raise InputError(
                "codebook: give either a size to learn, 'codebook:16', or Codebook(entries=...), one of them."
            )
        if self.entries is not None:
            entries = _distinct_entries(self.entries)
            object.__setattr__(self, "entries", entries)
            object.__setattr__(self, "dim", len(entries[0]))
        elif not (isinstance(self.size, int) and 1 <= self.size <= 65536):
            raise InputError(f"codebook: size must be a whole number from 1 to 65536, got {self.size}.")
        if self.dim < 1:
            raise InputError(f"codebook: dim must be at least 1, got {self.dim}.")

    @property
    def spec(self) -> str:
        """The canonical spec; a given codebook has a label with its digest, which `quantizer()` cannot read back."""
        if self.entries is None:
            return super().spec
        return f"codebook:given-{hashlib.sha256(repr(self.entries).encode()).hexdigest()[:12]}"

    def apply(self, weight: Float[Tensor, " models *shape"]) -> Float[Tensor, " models *shape"]:
        """See `Quantizer.apply`."""
        vectors = self._vectors(weight)
        chosen = nearest_entries(vectors, self._codebook(vectors)).to(weight.dtype)  # [models, vectors, dim]
        return chosen.flatten(1)[:, : weight[0].numel()].reshape(weight.shape)

    def levels(self, weight: Tensor, batch_dims: int = 0) -> Tensor:
        """All coordinates of all entries; [*batch, K * B], repeated values included."""
        batch = batch_shape(weight, batch_dims)
        vectors = self._vectors(weight.detach().reshape(batch.numel(), weight[(0,) * batch_dims].numel()))
        levels = self._codebook(vectors).to(weight.dtype).flatten(1).sort(dim=-1).values
        return levels.expand(len(vectors), -1).reshape(*batch, -1)

    def effective_bits(self, shape: tuple[int, ...]) -> float:
        """log2(K) per vector, and for a learned codebook its K * B bfloat16 numbers shared by the weights."""
        weights = max(1, math.prod(shape))
        entries = self.size if self.entries is None else len(self.entries)
        assert entries is not None
        stored = 0 if self.size is None else 16 * entries * self.dim
        return (math.log2(entries) * math.ceil(weights / self.dim) + stored) / weights

    def _vectors(self, weight: Tensor) -> Tensor:
        """Weights [models, *shape] as vectors [models, vectors, dim], filled up with zeros."""
        flat = weight.flatten(1)
        return pad(flat, (0, -flat.shape[1] % self.dim)).reshape(len(flat), -1, self.dim)

    def _codebook(self, vectors: Tensor) -> Tensor:
        """Entries in float64: [models, K, dim] learned, [1, K, dim] given."""
        if self.entries is not None:
            given = torch.tensor(self.entries, dtype=torch.float64, device=vectors.device)[None]
            if not bool(torch.isfinite(given.to(vectors.dtype)).all()):
                raise InputError(f"{self.spec}: entries lie beyond {vectors.dtype}; quantize weight.float() instead.")
            return given
        assert self.size is not None
        return learn_entries(vectors, self.size)


def _distinct_entries(entries: object) -> Entries:
    values = torch.from_numpy(packed(entries, "codebook: entries")).double()
    if values.ndim not in (1, 2) or values.numel() == 0 or not bool(torch.isfinite(values).all()):
        raise InputError(f"codebook: entries must be finite values [K] or [K, B], got shape {tuple(values.shape)}.")
    rows = values.reshape(len(values), -1).tolist()
    return tuple(dict.fromkeys(tuple(row) for row in rows))
