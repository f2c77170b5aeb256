"""Rows of numbers kept in memory up to a limit and in an unlinked temporary file beyond it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

SEGMENT = 2**25
"""Bytes allocated at a time."""

CHUNK = 2**18
"""Bytes converted at a time, so that they stay in cache."""


class Budget:
    """Memory shared by several shelves.

    Args:
        memory: Bytes to keep in memory, in all; what comes after goes to disk.
        folder: Where to put temporary files; None takes the system's folder.
    """

    def __init__(self, memory: int, folder: Path | None = None) -> None:
        self.left = memory
        self.folder = folder

    def allocate(self, rows: int, width: int, dtype: torch.dtype) -> Tensor:
        """An uninitialised tensor [rows, width], in memory if it fits."""
        size = rows * width * dtype.itemsize
        if size <= self.left:
            self.left -= size
            return torch.empty(rows, width, dtype=dtype)
        handle, name = tempfile.mkstemp(prefix="quantleak-", dir=self.folder)
        os.close(handle)
        try:
            mapped: Tensor = torch.from_file(name, shared=True, size=rows * width, dtype=dtype)
            return mapped.view(rows, width)
        finally:
            os.unlink(name)  # the mapping keeps the content alive; nothing is left behind, even by a crash


class Shelf:
    """A growing table of rows.

    Args:
        width: Numbers in a row.
        dtype: Their dtype, as it comes back.
        budget: Where the memory comes from.
        compact: Store in bfloat16 as long as every row survives that unchanged.
    """

    def __init__(self, width: int, dtype: torch.dtype, budget: Budget, *, compact: bool = False) -> None:
        self.width = width
        self.dtype = dtype
        self.budget = budget
        self.stored_as = torch.bfloat16 if compact and dtype.itemsize > 2 else dtype
        self.segments: list[Tensor] = []
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def append(self, rows: Tensor) -> None:
        """Add rows [n, width] at the end."""
        start = self.count
        self.count += len(rows)
        for piece, position in self._pieces(start, self.count, make=True):
            new = rows[position - start : position - start + len(piece)]
            piece.copy_(new)
            if piece.dtype != self.dtype and not torch.equal(piece.to(self.dtype), new):
                self._store_in_full()
                self.count = position
                return self.append(rows[position - start :])

    def span(self, start: int, stop: int) -> Tensor:
        """The rows from one position up to another; [stop - start, width] in `dtype`."""
        found = torch.empty(stop - start, self.width, dtype=self.dtype)
        for piece, position in self._pieces(start, stop):
            found[position - start : position - start + len(piece)].copy_(piece)
        return found

    def fetch(self, index: Tensor) -> Tensor:
        """The rows at these positions; [n, width] in `dtype`."""
        segment = index // self._rows_per_segment
        if len(index) and bool((segment == segment[0]).all()):
            return self.segments[int(segment[0])][index % self._rows_per_segment].to(self.dtype)
        found = torch.empty(len(index), self.width, dtype=self.dtype)
        for number in segment.unique().tolist():
            here = (segment == number).nonzero().flatten()
            found.index_copy_(0, here, self.segments[number][index[here] % self._rows_per_segment].to(self.dtype))
        return found

    def _pieces(self, start: int, stop: int, *, make: bool = False) -> Iterator[tuple[Tensor, int]]:
        """Views of the stored rows from `start` to `stop`, small enough to stay in cache, with their positions."""
        at_once = max(1, CHUNK // max(1, self.width * self.dtype.itemsize))
        while start < stop:
            segment, offset = divmod(start, self._rows_per_segment)
            if make and segment == len(self.segments):
                self.segments.append(self.budget.allocate(self._rows_per_segment, self.width, self.stored_as))
            piece = self.segments[segment][offset : offset + min(at_once, stop - start)]
            yield piece, start
            start += len(piece)

    @property
    def _rows_per_segment(self) -> int:
        return max(1, SEGMENT // max(1, self.width * self.dtype.itemsize))

    def _store_in_full(self) -> None:
        """Give up compactness, once: a row has come that bfloat16 would change."""
        self.stored_as = self.dtype
        for number, segment in enumerate(self.segments):
            wider = self.budget.allocate(len(segment), self.width, self.dtype)
            self.segments[number] = wider.copy_(segment)
