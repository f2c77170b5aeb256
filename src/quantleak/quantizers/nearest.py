"""The nearest codebook entry of each vector, for many models at once."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 2**21
"""Distances held at a time; about 16 MB."""


def nearest_entries(vectors: Tensor, entries: Tensor) -> Tensor:
    """For each vector the entry at the smallest Euclidean distance; a tie goes to the entry that comes first.

    Distances are taken in float64 and coordinate by coordinate, never as a matrix product, so that they are exact
    enough to decide and independent of what else is in the batch.

    Args:
        vectors: Finite values [models, vectors, dim].
        entries: float64 [models or 1, K, dim], without repeats or ascending.

    Returns:
        float64 tensor [models, vectors, dim].
    """
    entries = entries.expand(len(vectors), -1, -1)
    index = nearest_index(vectors, entries)
    return entries.gather(1, index[..., None].expand(-1, -1, vectors.shape[2]))


def nearest_index(vectors: Tensor, entries: Tensor) -> Tensor:
    """Index [models, vectors] of that entry."""
    if vectors.shape[2] == 1:
        return _nearest_scalar(vectors[..., 0], entries[..., 0])
    at_once = max(1, CHUNK // (entries.shape[0] * entries.shape[1]))
    pieces = [squared_distance(piece, entries).argmin(-1) for piece in vectors.split(at_once, dim=1)]
    return torch.cat(pieces, dim=1)


def squared_distance(vectors: Tensor, entries: Tensor) -> Tensor:
    """Squared Euclidean distances [models, vectors, K] in float64."""
    vectors = vectors.double()
    total = vectors.new_zeros(len(vectors), vectors.shape[1], entries.shape[1])
    for coordinate in range(vectors.shape[2]):
        total.add_((vectors[:, :, None, coordinate] - entries[:, None, :, coordinate]).square_())
    return total


def _nearest_scalar(values: Tensor, entries: Tensor) -> Tensor:
    """Blocks of one need no distances: bisection among the midpoints of the sorted entries [models, K]."""
    ordered, order = entries.sort(dim=-1, stable=True)
    middle = (ordered[:, 1:] + ordered[:, :-1]) / 2
    values = values.double().contiguous()
    below = torch.searchsorted(middle.contiguous(), values)  # ties at a midpoint go to the lower entry
    above = (below + 1).clamp_(max=entries.shape[1] - 1)
    low, high = order.gather(1, below), order.gather(1, above)
    on_middle = values - ordered.gather(1, below) == ordered.gather(1, above) - values
    return torch.where(on_middle, torch.minimum(low, high), low)
