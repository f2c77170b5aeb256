"""Minibatches, drawn for each model from its own members and its own stream of randomness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from quantleak.errors import InputError

Rows = npt.NDArray[np.int64]
_CHUNK_BYTES = 1 << 17


class ModelBatches:
    """The minibatches of one model: each epoch a fresh permutation of its members, dealt evenly into `steps` batches.

    Batch sizes differ by one at most (`n // steps` or one more), so that models with slightly different numbers of
    members take the same number of steps. With `n = steps * batch` this is the usual shuffled loader.

    Args:
        members: Row numbers of the model's training examples.
        steps: Batches an epoch.
        seed: The model's stream.

    Raises:
        InputError: If there are fewer members than steps.
    """

    def __init__(self, members: Rows, steps: int, seed: np.random.SeedSequence) -> None:
        if len(members) < steps:
            raise InputError(
                f"A model has {len(members)} training examples but the fleet takes {steps} steps an epoch; "
                "use a larger batch or memberships of more equal size."
            )
        base, extra = divmod(len(members), steps)
        self.edges = np.cumsum([0] + [base + 1] * extra + [base] * (steps - extra))
        self._members = members
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._ahead = np.empty((0, len(members)), dtype=np.int64)
        self._next = 0

    def epoch(self) -> Rows:
        """The members in the order of the next epoch; batch `s` is `epoch()[edges[s]:edges[s + 1]]`."""
        order: Rows = self.epochs(1)[0]
        return order

    def epochs(self, count: int) -> Rows:
        """The orders of the next `count` epochs, `[count, members]`."""
        parts = []
        while count:
            if self._next == len(self._ahead):
                # Permuting many epochs in one call costs a twentieth of one call an epoch and draws the same numbers.
                rows = max(1, _CHUNK_BYTES // (8 * len(self._members)))
                self._ahead = self._random.permuted(np.tile(self._members, (rows, 1)), axis=1)
                self._next = 0
            parts.append(self._ahead[self._next : self._next + count])
            self._next += len(parts[-1])
            count -= len(parts[-1])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def steps_per_epoch(members: Sequence[Rows], batch: int) -> int:
    """`ceil(n / batch)` for the fleet's largest membership: one number for the whole fleet."""
    return max(-(-len(rows) // batch) for rows in members)
