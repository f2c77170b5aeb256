"""The losses of the elements on a shelf, computed once each and in large batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from quantleak.arrays import packed
from quantleak.errors import InputError
from quantleak.store.rows import Budget, Shelf
from quantleak.trajectory.distinct import Elements

LOSS_BATCH = 2**20
"""Bytes of losses asked for at a time."""

VECTOR_BATCH = 2**23
"""Bytes of vectors handled at a time."""

FIRST_BATCH = 64
"""Elements asked for at a time before the number of validation examples is known."""


class Evaluated:
    """Losses [elements, N] in the order of the elements, of which the last may still be missing.

    Args:
        function: Losses [B, N] of stacked elements [B, P].
        width: P.
        budget: Where the memory comes from.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], width: int, budget: Budget) -> None:
        self.function = function
        self.width = width
        self.budget = budget
        self.shelf: Shelf | None = None

    def __len__(self) -> int:
        return 0 if self.shelf is None else len(self.shelf)

    def catch_up(self, elements: Elements, *, wait: bool) -> None:
        """Compute the missing losses.

        Args:
            elements: The elements so far.
            wait: Leave the rest until a whole batch has come together.

        Raises:
            InputError: If the function returns another shape, or NaN.
        """
        while (missing := len(elements) - len(self)) >= (self._batch if wait else 1):
            start, stop = len(self), len(self) + min(missing, self._batch)
            found = packed(self.function(elements.shelf.span(start, stop)[:, : self.width]), "losses(elements)")
            losses = torch.from_numpy(found if found.dtype.kind == "f" else found.astype(np.float64))
            self._refuse_unusable(losses, torch.from_numpy(elements.owner[start:stop]))
            self.append(losses)

    def append(self, losses: Tensor) -> None:
        """Add the losses of the next elements."""
        if self.shelf is None:
            self.shelf = Shelf(losses.shape[1], losses.dtype, self.budget)
        self.shelf.append(losses)

    @property
    def table(self) -> Shelf:
        """The losses so far; there must be some."""
        assert self.shelf is not None
        return self.shelf

    @property
    def _batch(self) -> int:
        by_losses = FIRST_BATCH if self.shelf is None else LOSS_BATCH // (self.shelf.width * self.shelf.dtype.itemsize)
        return max(1, min(by_losses, VECTOR_BATCH // (4 * max(1, self.width))))

    def _refuse_unusable(self, losses: Tensor, owner: Tensor) -> None:
        rows = len(owner)
        expected = "N" if self.shelf is None else str(self.shelf.width)
        if losses.ndim != 2 or len(losses) != rows or (self.shelf is not None and losses.shape[1] != self.shelf.width):
            raise InputError(
                f"losses(elements) must return [{rows}, {expected}], a row for each element, got shape "
                f"{tuple(losses.shape)}."
            )
        diverged = torch.isnan(losses).any(1) if bool(torch.isnan(losses.sum())) else torch.zeros(0, dtype=torch.bool)
        if bool(diverged.any()):
            model = int(owner[diverged][0])
            raise InputError(
                f"Model {model}, quantized, has NaN losses: it has diverged; lower its learning rate or leave it out."
            )
