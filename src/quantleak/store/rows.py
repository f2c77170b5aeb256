"""The row buffer: rows of numbers, in memory up to a limit and spilled to an unnamed temporary file beyond it."""

from __future__ import annotations

import mmap
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

SEGMENT = 2**25
"""Bytes allocated at a time."""

CHUNK = 2**18
"""Bytes converted at a time, so that they stay in cache."""


class Storage:
    """Memory for several row buffers up to a limit, and the temporary file that takes what comes after.

    The file has no name, so that nothing is left behind, even by a crash. It is written by plain writes and mapped
    only while it is read, so that what is spilled leaves the memory of the process.

    Args:
        memory: Bytes to keep in memory, for all buffers together.
        folder: Where to put the file; None takes the system's folder.
    """

    def __init__(self, memory: int, folder: Path | None = None) -> None:
        self.memory, self.folder = memory, folder
        self._left = memory
        self._file: IO[bytes] | None = None
        self._end = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return Storage, (self.memory, self.folder)

    def allocate(self, rows: int, width: int, dtype: torch.dtype) -> Tensor | int:
        """Room for rows of numbers: an uninitialised tensor [rows, width] if it fits, else a place in the file."""
        size = rows * width * dtype.itemsize
        if size <= self._left:
            self._left -= size
            return torch.empty(rows, width, dtype=dtype)
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="quantleak-", dir=self.folder)  # noqa: SIM115 - open until the end
            weakref.finalize(self, self._file.close)
        place, unit = self._end, mmap.ALLOCATIONGRANULARITY
        self._end += size + -size % unit
        self._file.truncate(self._end)
        return place

    def write(self, place: int, rows: Tensor) -> None:
        """Write rows into the file."""
        assert self._file is not None
        self._file.seek(place)
        self._file.write(rows.contiguous().view(torch.uint8).numpy().data)

    def read(self, place: int, rows: int, width: int, dtype: torch.dtype) -> Tensor:
        """Rows of the file, mapped into memory for as long as the tensor lives; not to be written to."""
        assert self._file is not None
        self._file.flush()
        size = rows * width * dtype.itemsize
        # A private copy on write: torch warns of memory that is read-only.
        content = mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_COPY, offset=place)
        return torch.frombuffer(content, dtype=dtype).view(rows, width)


class RowBuffer:
    """A growing table of rows of numbers, of which the first to come decide the width and the dtype.

    Copies and pickles hold all rows, and are independent.

    Args:
        storage: Where the memory comes from.
        compact: Store in bfloat16 as long as every row survives that unchanged.
    """

    def __init__(self, storage: Storage, *, compact: bool = False) -> None:
        self.storage, self.compact = storage, compact
        self.width = 0
        self.dtype = self._stored_as = torch.float32
        self._segments: list[Tensor | int] = []  # tensors, or places in the file of the storage
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getstate__(self) -> dict[str, Any]:
        return {"storage": self.storage, "compact": self.compact, "rows": self.span(0, len(self))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        RowBuffer.__init__(self, state["storage"], compact=state["compact"])
        self.append(state["rows"])

    def append(self, rows: Tensor) -> None:
        """Add rows [n, width] at the end."""
        if not self._segments:
            self.width, self.dtype = rows.shape[1], rows.dtype
            narrow = self.compact and self.dtype.itemsize > 2
            self._stored_as = torch.bfloat16 if narrow else self.dtype
        start = self._count
        for number, offset, size in self._pieces(start, start + len(rows), self._rows_per(CHUNK)):
            new = rows[self._count - start : self._count - start + size]
            stored = new.to(self._stored_as)
            if self._stored_as != self.dtype and not torch.equal(stored.to(self.dtype), new):
                self._store_in_full()
                stored = new
            if number == len(self._segments):
                place = self.storage.allocate(self._rows_per(SEGMENT), self.width, self._stored_as)
                self._segments.append(place)
            self._write(number, offset, stored)
            self._count += size

    def span(self, start: int, stop: int) -> Tensor:
        """The rows from one position up to another; [stop - start, width] in `dtype`."""
        found = torch.empty(stop - start, self.width, dtype=self.dtype)
        filled = 0
        for number, offset, size in self._pieces(start, stop, self._rows_per(SEGMENT)):
            found[filled : filled + size].copy_(self._read(number)[offset : offset + size])
            filled += size
        return found

    def fetch(self, index: Tensor) -> Tensor:
        """The rows at these positions; [n, width] in `dtype`."""
        found = torch.empty(len(index), self.width, dtype=self.dtype)
        per_segment = self._rows_per(SEGMENT)
        segments, counts = (index // per_segment).unique_consecutive(return_counts=True)
        parts = zip(found.split(counts.tolist()), index.split(counts.tolist()), segments.tolist(), strict=True)
        for part, here, number in parts:
            rows, places = self._read(number), here - number * per_segment
            if rows.dtype == self.dtype:
                torch.index_select(rows, 0, places, out=part)  # straight into place: a table may fill the memory
            else:
                part.copy_(rows[places])
        return found

    def _pieces(self, start: int, stop: int, at_once: int) -> Iterator[tuple[int, int, int]]:
        """Segment, offset in it and number of rows of the pieces of a span, none longer than `at_once`."""
        per_segment = self._rows_per(SEGMENT)
        while start < stop:
            number, offset = divmod(start, per_segment)
            size = min(at_once, stop - start, per_segment - offset)
            yield number, offset, size
            start += size

    def _rows_per(self, size: int) -> int:
        return max(1, size // max(1, self.width * self.dtype.itemsize))

    def _read(self, number: int) -> Tensor:
        segment = self._segments[number]
        if isinstance(segment, Tensor):
            return segment
        return self.storage.read(segment, self._rows_per(SEGMENT), self.width, self._stored_as)

    def _write(self, number: int, offset: int, rows: Tensor) -> None:
        segment = self._segments[number]
        if isinstance(segment, Tensor):
            segment[offset : offset + len(rows)].copy_(rows)
        else:
            self.storage.write(segment + offset * self.width * self._stored_as.itemsize, rows)

    def _store_in_full(self) -> None:
        """Give up compactness, once: a row has come that bfloat16 would change."""
        full = RowBuffer(self.storage)
        for number in range(len(self._segments)):
            full.append(self._read(number).to(self.dtype))
        self._segments, self._stored_as = full._segments, self.dtype
