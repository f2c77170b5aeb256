"""Cut a data set into pool, validation, population and test, stratified by class, without cutting a group."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from quantleak.data.dataset import Dataset
from quantleak.data.features import Ints
from quantleak.errors import InputError
from quantleak.rng import stream

FRACTIONS = (0.5, 0.2, 0.15, 0.15)
LEAST_PER_PART = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Sorted int64 indices into a data set; the parts are disjoint and cover it.

    Args:
        pool: Members of the models' training sets are drawn from these.
        validation: For the privacy rate only.
        population: The attacker's own data; scaling and category lists are fitted here.
        test: For the utility only.
    """

    pool: Ints
    validation: Ints
    population: Ints
    test: Ints


PARTS = tuple(field.name for field in fields(Split))


def split(dataset: Dataset, seed: int, fractions: tuple[float, float, float, float] = FRACTIONS) -> Split:
    """Deal whole groups, in random order, each to the part that lacks most of its class and of all examples so far.

    The size of a group has no say in where it goes, so large and small groups are spread alike. Without groups every
    part holds its fraction of every class within two examples. A group of several classes counts as the rarest.

    Args:
        dataset: What to cut.
        seed: Draws the order.
        fractions: Shares of pool, validation, population and test, all positive, with sum 1.

    Raises:
        InputError: If a part would hold fewer than 10 examples, or no example of some class.
    """
    _check_fractions(fractions)
    index = np.unique(dataset.groups, return_inverse=True)[1]
    strata = _strata(dataset, index)
    sizes = np.bincount(index)
    order = stream(seed, "split").permutation(len(sizes))
    part = _deal(order, strata, sizes, np.array(fractions))[index]
    _check_parts(dataset, part)
    return Split(**{name: np.flatnonzero(part == number) for number, name in enumerate(PARTS)})


def _strata(dataset: Dataset, index: Ints) -> Ints:
    """The class of each group, the rarest one it holds."""
    if dataset.classes is None:
        return np.zeros(index.max(initial=-1) + 1, np.int64)
    rarity = np.argsort(np.argsort(np.bincount(dataset.targets, minlength=len(dataset.classes)), kind="stable"))
    rarest_first = np.argsort(rarity[dataset.targets], kind="stable")
    _, first = np.unique(index[rarest_first], return_index=True)
    strata: Ints = dataset.targets[rarest_first[first]]
    return strata


def _deal(order: Ints, strata: Ints, sizes: Ints, fractions: npt.NDArray[np.float64]) -> Ints:
    """The part of each group."""
    part = np.empty(len(order), np.int64)
    overall = np.zeros(len(fractions))
    for stratum in np.unique(strata):
        groups = order[strata[order] == stratum]
        own = np.zeros(len(fractions))
        empty = np.ones(len(fractions), bool)
        for left, group in zip(range(len(groups), 0, -1), groups, strict=True):
            lack = own + overall
            # The last groups of a class go where it has none yet.
            part[group] = chosen = np.argmax(np.where(empty, lack, -np.inf) if left <= empty.sum() else lack)
            empty[chosen] = False
            for balance in (own, overall):
                balance += fractions * sizes[group]
                balance[chosen] -= sizes[group]
    return part


def _check_fractions(fractions: tuple[float, ...]) -> None:
    if len(fractions) != len(PARTS) or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(
            f"A split takes {len(PARTS)} positive fractions with sum 1 ({', '.join(PARTS)}), got {fractions}. "
            f"Try {FRACTIONS}."
        )


def _check_parts(dataset: Dataset, part: Ints) -> None:
    counts = np.bincount(part, minlength=len(PARTS))
    if counts.min() < LEAST_PER_PART:
        got = ", ".join(f"{name} {count}" for name, count in zip(PARTS, counts.tolist(), strict=True))
        raise InputError(
            f"Too few examples to split {dataset.name!r}: {len(dataset)} in {len(np.unique(dataset.groups))} groups "
            f"give {got}, and each part needs at least {LEAST_PER_PART}. Give more data, or smaller groups."
        )
    for code, name in enumerate(dataset.classes or ()):
        held = np.bincount(part[dataset.targets == code], minlength=len(PARTS))
        if held.min() == 0:
            groups = len(np.unique(dataset.groups[dataset.targets == code]))
            raise InputError(
                f"Class {name!r} of {dataset.name!r} has {held.sum()} examples in {groups} groups, too few for every "
                f"part: none is left for {PARTS[int(held.argmin())]}. Each class needs at least {len(PARTS)} groups; "
                "give more data, or merge or drop rare classes."
            )
