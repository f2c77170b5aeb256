"""The order of the validation set, checked at every pass: losses of two elements compare example by example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from torch.utils.data import DistributedSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from quantleak.errors import InputError
from quantleak.trajectory.batches import digest

FIX = (
    "r_Q compares losses example by example, so give the same examples in the same order at every pass: "
    "DataLoader(validation, batch_size=..., shuffle=False) without random augmentation."
)
_RANDOM = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)


def refuse_unordered(loader: Any) -> None:
    """Refuse what can be seen to be unusable before the first pass.

    Raises:
        InputError: A loader that shuffles, one that can be read only once, or one that hands over a part of the set.
    """
    if isinstance(loader, Iterator):
        raise InputError(
            f"The validation loader is {type(loader).__name__}, which can be read only once, but every update reads it "
            "again. Give a DataLoader or a list of batches."
        )
    sampler = getattr(loader, "sampler", None)
    if isinstance(sampler, _RANDOM):
        raise InputError(f"The validation loader draws at random ({type(sampler).__name__}). {FIX}")
    if isinstance(sampler, DistributedSampler) and sampler.num_replicas > 1:
        raise InputError(
            f"The validation loader has a DistributedSampler: this process would see 1 example in "
            f"{sampler.num_replicas}. Give a loader over the whole validation set."
        )


class Order:
    """Digests of the batches of the first pass, to which every later pass is held; None before the first."""

    def __init__(self, digests: list[bytes] | None = None) -> None:
        self.digests = digests

    def over(self, loader: Iterable[Any]) -> Pass:
        """A pass through the loader."""
        return Pass(self, loader)


class Pass:
    """One pass through a loader, compared batch by batch; nothing is kept of it unless it ends well."""

    def __init__(self, order: Order, loader: Iterable[Any]) -> None:
        self.order, self.loader = order, loader
        self.seen: list[bytes] = []

    def __iter__(self) -> Iterator[Any]:
        """The batches.

        Raises:
            InputError: At the first batch that is not the one that came at its place in the first pass.
        """
        before = self.order.digests
        for number, batch in enumerate(self.loader):
            self.seen.append(digest(batch))
            if before is not None and before[number : number + 1] != self.seen[-1:]:
                raise InputError(
                    f"Batch {number} of the validation loader is not what it was at the first pass: the loader "
                    f"shuffles, augments, or is another one. {FIX}"
                )
            yield batch

    def end(self) -> None:
        """The pass is over.

        Raises:
            InputError: If batches are missing, or there were none.
        """
        if not self.seen:
            raise InputError("The validation loader is empty; give one with at least one batch.")
        if self.order.digests is not None and len(self.seen) != len(self.order.digests):
            raise InputError(
                f"The validation loader gave {len(self.seen)} batches, {len(self.order.digests)} at the first pass. "
                + FIX
            )
        self.order.digests = self.seen
