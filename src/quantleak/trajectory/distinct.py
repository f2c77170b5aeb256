"""The sets of distinct vectors that each model visits: with the vectors kept and compared exactly, or digests only."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantleak.store.rows import RowBuffer, Storage
from quantleak.trajectory.fingerprint import as_words, canonical, fingerprints, vector_digest

Integers = NDArray[np.int64]

NEXT_MODEL = np.int64(0x5851F42D4C957F2D)
NEXT_PROBE = np.int64(0x14057B7EF767814F)


class DistinctVectors:
    """An open-addressing hash set over vectors, one per model, filled in batches.

    The key of a vector is its fingerprint shifted by its model. A key whose place is held by a different vector moves
    on by a fixed stride until it finds its like or a free place. Nothing is ever removed, so the same walk finds it
    again, and collisions cost time but never merge two vectors.

    Args:
        storage: Where the memory comes from.

    Attributes:
        vectors: The distinct vectors, in the order of first visit but for collisions, padded to whole words.
        owner: Model of each of them; int64 [K].
    """

    def __init__(self, storage: Storage) -> None:
        self.vectors = RowBuffer(storage, compact=True)
        self.owner: Integers = np.empty(0, np.int64)
        self._width = 0
        self._keys: Integers = np.empty(0, np.int64)  # by position
        self._order: Integers = np.empty(0, np.int64)  # positions, ascending by key
        self._sorted: Integers = np.empty(0, np.int64)  # the keys in that order
        self._last: Tensor | None = None  # the last vectors, as `moved` compares them

    def __len__(self) -> int:
        return len(self.vectors)

    def moved(self, vectors: Tensor) -> Tensor:
        """Where a model's vector is not the one of the epoch before, of [models, epochs, P]; bool [models, epochs].

        Most epochs change no quantized weight, and this comparison costs a fraction of a look into the set.
        """
        # Whole words where they fit; two zeros of different sign then count as moved, which `add` puts right.
        whole = vectors.shape[-1] * vectors.element_size() % 8 == 0 and vectors.is_contiguous()
        bits = vectors.view(torch.int64) if whole else vectors
        moved = torch.ones(vectors.shape[:2], dtype=torch.bool)
        if not moved.numel():
            return moved
        if self._last is not None and self._last.dtype == bits.dtype:
            moved[:, 0] = (bits[:, 0] != self._last).any(-1)
        moved[:, 1:] = (bits[:, 1:] != bits[:, :-1]).any(-1)
        self._last = bits[:, -1].clone()
        return moved

    def add(self, vectors: Tensor, owner: Integers) -> None:
        """Add those of the vectors [rows, P] that their model has not visited; owner int64 [rows]."""
        self._width = vectors.shape[1]
        rows = canonical(vectors)
        keys = fingerprints(as_words(rows)).numpy() + owner * NEXT_MODEL
        pending = np.arange(len(rows))
        while len(pending):
            pending = self._settle(rows, keys, owner, pending)
            keys[pending] += NEXT_PROBE

    def span(self, start: int, stop: int) -> Tensor:
        """The vectors from one position up to another; [stop - start, P]."""
        return self.vectors.span(start, stop)[:, : self._width]

    def fetch(self, index: Tensor) -> Tensor:
        """The vectors at these positions; [n, P]."""
        return self.vectors.fetch(index)[:, : self._width]

    def state(self) -> dict[str, Any]:
        """What `load` needs, as tensors and numbers."""
        return {
            "width": self._width,
            "elements": self.vectors.span(0, len(self)),
            "owner": torch.from_numpy(self.owner),
            "keys": torch.from_numpy(self._keys),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Fill an empty set with what `state()` of another held."""
        self._width = state["width"]
        self._store(state["elements"], state["owner"].numpy(), state["keys"].numpy())

    def _settle(self, rows: Tensor, keys: Integers, owner: Integers, pending: Integers) -> Integers:
        """Store the pending rows whose key is free; return those whose key is held by a different vector."""
        distinct, first, group = np.unique(keys[pending], return_index=True, return_inverse=True)
        leader = pending[first]  # the first row with each key stands for it
        held = self._find(distinct)
        differs = self._unlike_held(rows, pending[held[group] >= 0], held[group][held[group] >= 0])
        follower = (held[group] < 0) & (leader[group] != pending)
        unlike = _unlike(rows, pending[follower], rows, leader[group][follower])
        new = np.sort(leader[held < 0])
        self._store(
            rows if len(new) == len(rows) else rows.index_select(0, torch.from_numpy(new)), owner[new], keys[new]
        )
        return np.sort(np.concatenate([differs, unlike]))

    def _find(self, keys: Integers) -> Integers:
        """Position of each key, -1 where it is free."""
        if not len(self._sorted):
            return np.full(len(keys), -1)
        place = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        found: Integers = np.where(self._sorted[place] == keys, self._order[place], -1)
        return found

    def _unlike_held(self, rows: Tensor, which: Integers, held: Integers) -> Integers:
        """Those of `which` that differ from the stored vector at `held`."""
        positions, again = np.unique(held, return_inverse=True)
        return _unlike(rows, which, self.vectors.fetch(torch.from_numpy(positions)), again)

    def _store(self, rows: Tensor, owner: Integers, keys: Integers) -> None:
        if not len(rows):
            return
        self.vectors.append(rows)
        self.owner = np.concatenate([self.owner, owner])
        self._keys = np.concatenate([self._keys, keys])
        self._order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[self._order]


class DistinctDigests:
    """The SHA-256 of every distinct vector that each model visits, in the order of first visit.

    A vector itself is held until its losses are computed, and then dropped.
    """

    def __init__(self) -> None:
        self._digests: dict[tuple[int, bytes], None] = {}  # (model, digest)
        self._waiting: list[Tensor] = []  # the vectors of the last digests, as canonical rows
        self._width = 0

    def __len__(self) -> int:
        return len(self._digests)

    def __contains__(self, visit: tuple[int, bytes]) -> bool:
        return visit in self._digests

    @property
    def owner(self) -> Integers:
        """Model of each distinct vector; int64 [K]."""
        return np.array([model for model, _ in self._digests], np.int64)

    def moved(self, vectors: Tensor) -> Tensor:
        """All of [models, epochs, P] are looked up: a comparison would have to keep vectors; bool [models, epochs]."""
        return torch.ones(vectors.shape[:2], dtype=torch.bool)

    def add(self, vectors: Tensor, owner: Integers) -> None:
        """Add those of the vectors [rows, P] that their model has not visited; owner int64 [rows]."""
        self._width = vectors.shape[1]
        for vector, row, model in zip(vectors, canonical(vectors), owner.tolist(), strict=True):
            visit = model, vector_digest(vector)
            if visit not in self._digests:
                self._digests[visit] = None
                self._waiting.append(row.clone())

    def add_digest(self, model: int, digest: bytes) -> None:
        """Add a vector whose losses are known, by its digest."""
        self._digests[model, digest] = None

    def span(self, start: int, stop: int) -> Tensor:
        """The vectors from one position up to another, which must be the first that wait; [stop - start, P]."""
        # Strided as those of DistinctVectors are: a matrix product may differ in its last bits with the stride.
        return torch.stack(self._waiting[: stop - start])[:, : self._width]

    def drop(self, count: int) -> None:
        """Forget the vectors of so many of the first that wait."""
        del self._waiting[:count]

    def state(self) -> dict[str, Any]:
        """What `load` needs."""
        return {"owner": torch.from_numpy(self.owner), "digests": [digest for _, digest in self._digests]}

    def load(self, state: dict[str, Any]) -> None:
        """Fill an empty set with what `state()` of another held."""
        self._digests = dict.fromkeys(zip(state["owner"].tolist(), state["digests"], strict=True))


def _unlike(rows: Tensor, which: Integers, others: Tensor, match: Integers) -> Integers:
    """Those of `which` whose row differs in any bit from the row of `others` at `match`."""
    if not len(which):
        return which
    mine = as_words(rows).index_select(0, torch.from_numpy(which))
    theirs = as_words(others).index_select(0, torch.from_numpy(match))
    if torch.equal(mine, theirs):
        return which[:0]
    unlike: Integers = which[(mine != theirs).any(1).numpy()]
    return unlike
