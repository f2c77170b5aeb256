"""The losses of one quantizer's elements, in memory up to a limit and in an unnamed temporary file beyond it."""

from __future__ import annotations

import tempfile
import weakref
from typing import IO, Any

import torch
from jaxtyping import Float
from torch import Tensor


class LossTable:
    """Rows of losses float32 [N], in the order of first visit, each under the digest of its element.

    The file is read and written, not mapped, so that what is spilled leaves the process's memory.

    Args:
        memory: Bytes of rows to keep in memory.
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.digests: dict[bytes, None] = {}
        self._rows: list[Tensor] = []
        self._file: IO[bytes] | None = None
        self._width = 0

    def __len__(self) -> int:
        return len(self.digests)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self.digests

    def __getstate__(self) -> dict[str, Any]:
        return {"memory": self.memory, "digests": list(self.digests), "losses": self.losses()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LossTable.__init__(self, state["memory"])
        for digest, losses in zip(state["digests"], state["losses"], strict=True):
            self.append(digest, losses)

    def append(self, digest: bytes, losses: Float[Tensor, " examples"]) -> None:
        """Add the losses of a new element."""
        self._width = len(losses)
        self.digests[digest] = None
        if self._file is None and 4 * self._width * (len(self._rows) + 1) <= self.memory:
            self._rows.append(losses.clone())
            return
        if self._file is None:
            self._file = _unnamed_file()
            weakref.finalize(self, self._file.close)
        self._file.write(losses.numpy().tobytes())

    def losses(self) -> Float[Tensor, "elements examples"]:
        """The whole table [K, N], a copy."""
        table = torch.empty(len(self), self._width)
        for place, row in enumerate(self._rows):
            table[place] = row
        if self._file is not None:
            self._file.seek(0)
            for place in range(len(self._rows), len(self)):
                content = bytearray(self._file.read(4 * self._width))
                table[place] = torch.frombuffer(content, dtype=torch.float32)
        return table


def _unnamed_file() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="quantleak-")
