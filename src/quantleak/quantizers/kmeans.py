"""Codebooks learned by k-means, and the nearest entry of each vector: deterministic, for many models at once."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import pad

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


ITERATIONS = 25
"""Lloyd's steps at most."""

SEED = 0x5EED


def learn_entries(vectors: Tensor, size: int) -> Tensor:
    """Codebook of each model by k-means: k-means++ seeding, Lloyd's steps until nothing moves, rounding to bfloat16.

    The random numbers of the seeding are the same for every model and every call, and no step mixes models: the
    result is a function of the vectors of one model alone.

    Args:
        vectors: Finite values [models, vectors, dim].
        size: K; where a model has fewer distinct vectors, some entries repeat.

    Returns:
        float64 tensor [models, K, dim], each value exact in bfloat16, ascending by the first coordinate.
    """
    # The largest number of eight binary digits, as bfloat16 has, in the dtype of the vectors: rounding stays inside it.
    exponent = math.frexp(min(torch.finfo(vectors.dtype).max, torch.finfo(torch.bfloat16).max))[1]
    limit = math.ldexp(1 - 2**-8, exponent)
    points = vectors.double()
    entries = _ascending(_spread_out(points, size))
    step = _SortedLloyd(points) if points.shape[2] == 1 else partial(_centroids, points)
    for _ in range(ITERATIONS):
        moved = _ascending(step(entries))
        if torch.equal(moved, entries):
            break
        entries = moved
    return _ascending(entries.clamp(-limit, limit).bfloat16().double())


def _spread_out(points: Tensor, size: int) -> Tensor:
    """Seeding by k-means++ (Arthur and Vassilvitskii, 2007).

    Each entry is a vector drawn with probability proportional to its squared distance from the entries before.
    """
    models, count, dim = points.shape
    draws = torch.rand(size, generator=torch.Generator().manual_seed(SEED), dtype=torch.float64).tolist()
    entries = points.new_empty(models, size, dim)
    distance = points.new_full((models, count), torch.inf)
    for k, draw in enumerate(draws):
        reach = (distance if k else torch.ones_like(distance)).cumsum(-1)  # the first one is uniform
        # The first vector whose share of the total covers the draw; a vector at distance 0 is never drawn while others
        # exist.
        chosen = torch.searchsorted(reach, draw * reach[:, -1:], right=True).clamp_(max=count - 1)  # [models, 1]
        entries[:, k] = points.gather(1, chosen[..., None].expand(-1, -1, dim))[:, 0]
        distance = torch.minimum(distance, squared_distance(points, entries[:, k : k + 1])[..., 0])
    return entries


class _SortedLloyd:
    """Lloyd's step for single weights: sorted once, a cluster is a range and its sum a difference of prefix sums."""

    def __init__(self, points: Tensor) -> None:
        self.points = points[..., 0].sort(dim=-1).values  # [models, points]
        self.prefix = pad(self.points.cumsum(-1), (1, 0))  # [models, points + 1]

    def __call__(self, entries: Tensor) -> Tensor:
        """Centroids [models, K, 1] of the clusters around ascending entries."""
        middle = ((entries[:, 1:] + entries[:, :-1]) / 2)[..., 0].contiguous()
        ends = torch.searchsorted(self.points, middle, right=True)  # a weight on a midpoint belongs to the lower entry
        start, stop = pad(ends, (1, 0)), pad(ends, (0, 1), value=self.points.shape[1])
        count = stop - start
        total = self.prefix.gather(1, stop) - self.prefix.gather(1, start)
        return torch.where(count > 0, total / count.clamp_min(1), entries[..., 0])[..., None]


def _centroids(points: Tensor, entries: Tensor) -> Tensor:
    """One of Lloyd's steps: the mean of the vectors nearest to each entry; an entry without vectors stays."""
    index = nearest_index(points, entries)  # [models, vectors]
    count = torch.zeros_like(entries[..., 0]).scatter_add_(1, index, torch.ones_like(points[..., 0]))
    total = torch.zeros_like(entries).scatter_add_(1, index[..., None].expand_as(points), points)
    return torch.where(count[..., None] > 0, total / count[..., None].clamp_min(1), entries)


def _ascending(entries: Tensor) -> Tensor:
    order = entries[..., 0].argsort(dim=-1, stable=True)
    return entries.gather(1, order[..., None].expand_as(entries))
