"""Codebooks learned by k-means, deterministic and for many models at once."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import pad

from quantleak.quantizers.nearest import nearest_index, squared_distance

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
