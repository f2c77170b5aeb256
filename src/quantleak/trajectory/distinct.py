"""The set of distinct elements that each model visits, found by fingerprint and decided by exact comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantleak.store.rows import Budget, Shelf
from quantleak.trajectory.fingerprint import as_words, canonical, fingerprints

Integers = NDArray[np.int64]

NEXT_MODEL = np.int64(0x5851F42D4C957F2D)
NEXT_PROBE = np.int64(0x14057B7EF767814F)


class Elements:
    """An open-addressing hash set over vectors, one per model, filled in batches.

    The key of a vector is its fingerprint shifted by its model. A key whose place is held by a different vector moves
    on by a fixed stride until it finds its like or a free place. Nothing is ever removed, so the same walk finds it
    again, and collisions cost time but never merge two elements.

    Attributes:
        kind: P and dtype of the vectors.
        shelf: The distinct vectors, in the order of first visit but for collisions, padded to whole words.
        owner: Model of each row of `shelf`; int64 [elements].
    """

    def __init__(self, width: int, dtype: torch.dtype, budget: Budget) -> None:
        padded = canonical(torch.empty(0, width, dtype=dtype)).shape[1]
        self.shelf = Shelf(padded, dtype, budget, compact=True)
        self.kind = (width, dtype)
        self.owner: Integers = np.empty(0, np.int64)
        self.keys: Integers = np.empty(0, np.int64)  # by position on the shelf
        self._order: Integers = np.empty(0, np.int64)  # positions, ascending by key
        self._sorted: Integers = np.empty(0, np.int64)  # the keys in that order

    def __len__(self) -> int:
        return len(self.shelf)

    def add(self, vectors: Tensor, owner: Integers) -> None:
        """Add those of the vectors [rows, P] that their model has not visited; owner int64 [rows]."""
        rows = canonical(vectors)
        keys = fingerprints(as_words(rows)).numpy() + owner * NEXT_MODEL
        pending = np.arange(len(rows))
        while len(pending):
            pending = self._settle(rows, keys, owner, pending)
            keys[pending] += NEXT_PROBE

    def state(self) -> dict[str, Any]:
        """What `load` needs, as tensors and numbers."""
        return {
            "width": self.kind[0],
            "elements": self.shelf.span(0, len(self)),
            "owner": torch.from_numpy(self.owner),
            "keys": torch.from_numpy(self.keys),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Fill an empty set with what `state()` of another held."""
        self._store(state["elements"], state["owner"].numpy(), state["keys"].numpy())

    def forget(self) -> None:
        """Drop the vectors and keep the count of each model."""
        self.shelf.segments.clear()

    def _settle(self, rows: Tensor, keys: Integers, owner: Integers, pending: Integers) -> Integers:
        """Store the pending rows whose key is free; return those whose key is held by a different vector."""
        distinct, first, group = np.unique(keys[pending], return_index=True, return_inverse=True)
        leader = pending[first]  # the first row with each key stands for it
        held = self._find(distinct)
        differs = self._unlike_held(rows, pending[held[group] >= 0], held[group][held[group] >= 0])
        follower = (held[group] < 0) & (leader[group] != pending)
        unlike = _unlike(rows, pending[follower], rows, leader[group][follower])
        new = np.sort(leader[held < 0])
        self._store(rows if len(new) == len(rows) else rows[torch.from_numpy(new)], owner[new], keys[new])
        return np.sort(np.concatenate([differs, unlike]))

    def _find(self, keys: Integers) -> Integers:
        """Position on the shelf of each key, -1 where it is free."""
        if not len(self._sorted):
            return np.full(len(keys), -1)
        place = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        found: Integers = np.where(self._sorted[place] == keys, self._order[place], -1)
        return found

    def _unlike_held(self, rows: Tensor, which: Integers, held: Integers) -> Integers:
        """Those of `which` that differ from the stored vector at `held`."""
        positions, again = np.unique(held, return_inverse=True)
        return _unlike(rows, which, self.shelf.fetch(torch.from_numpy(positions)), again)

    def _store(self, rows: Tensor, owner: Integers, keys: Integers) -> None:
        if not len(rows):
            return
        self.shelf.append(rows)
        self.owner = np.concatenate([self.owner, owner])
        self.keys = np.concatenate([self.keys, keys])
        self._order = np.argsort(self.keys, kind="stable")
        self._sorted = self.keys[self._order]


def _unlike(rows: Tensor, which: Integers, others: Tensor, match: Integers) -> Integers:
    """Those of `which` whose row differs in any bit from the row of `others` at `match`."""
    if not len(which):
        return which
    mine = as_words(rows)[torch.from_numpy(which)]
    theirs = as_words(others)[torch.from_numpy(match)]
    if torch.equal(mine, theirs):
        return which[:0]
    unlike: Integers = which[(mine != theirs).any(1).numpy()]
    return unlike
