"""Cuts a data set into pool, validation, population and test, stratified by class, without cutting a group.

A data set that brings its own split (`Dataset.held_out`) gives its pool; only what is held out is dealt to the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from quantleak.data.dataset import Dataset
from quantleak.data.features import Ints
from quantleak.errors import InputError
from quantleak.rng import stream

FRACTIONS = (0.5, 0.2, 0.15, 0.15)
LEAST_PER_PART = 10


def _none() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Sorted int64 indices into a data set; the parts are disjoint, and cover it as :func:`split` makes them.

    Args:
        pool: Members of the models' training sets are drawn from these.
        validation: For the privacy rate only.
        population: The attacker's own data; scaling and category lists are fitted here.
        test: For the utility only.
        calibration: For the calibration of quantizers from held-out data only; empty unless requested.
    """

    pool: Ints
    validation: Ints
    population: Ints
    test: Ints
    calibration: Ints = field(default_factory=_none)


PARTS = tuple(part.name for part in fields(Split))
DEALT = PARTS[: len(FRACTIONS)]
"""The parts that have a fraction each; what is for calibration is taken out of one of them."""


def split(
    dataset: Dataset,
    seed: int,
    fractions: tuple[float, float, float, float] = FRACTIONS,
    *,
    calibration: int = 0,
) -> Split:
    """Deal whole groups, in random order, each to the part that lacks most of its class and of all examples so far.

    The size of a group has no say in where it goes, so large and small groups are spread alike. Without groups every
    part holds its fraction of every class within two examples. A group of several classes counts as the rarest.

    With the data set's own split the pool is every example that is not held out, and with it those that share a group
    with one; the held-out groups are dealt to the three other parts in the proportions of their fractions.

    Args:
        dataset: What to cut.
        seed: Draws the order.
        fractions: Shares of pool, validation, population and test, all positive, with sum 1.
        calibration: How many examples to set apart from the validation part, stratified by class; at least so many,
            for groups stay whole. A random stream of its own draws them: the other parts are the same with and without.

    Raises:
        InputError: If a part would hold fewer than 10 examples, or no example of some class.
    """
    _check_fractions(fractions)
    index = np.unique(dataset.groups, return_inverse=True)[1]
    strata = _strata(dataset, index)
    sizes = np.bincount(index)
    order = stream(seed, "split").permutation(len(sizes))
    if dataset.held_out is None:
        part = _deal(order, strata, sizes, np.array(fractions))[index]
    else:
        part = _deal_held_out(dataset.held_out, index, order, strata, sizes, np.array(fractions[1:]))
    _check_parts(dataset, part)
    if calibration:
        chosen = _calibration(dataset, index, strata, part == DEALT.index("validation"), seed, calibration)
        part[chosen] = PARTS.index("calibration")
    return Split(**{name: np.flatnonzero(part == number) for number, name in enumerate(PARTS)})


def _deal_held_out(
    held_out: npt.NDArray[np.bool_],
    index: Ints,
    order: Ints,
    strata: Ints,
    sizes: Ints,
    fractions: npt.NDArray[np.float64],
) -> Ints:
    """The part of each example: the pool, or one of the others for groups that are held out whole."""
    ours = np.bincount(index, weights=~held_out) > 0
    part = np.zeros(len(sizes), np.int64)
    spare = order[~ours[order]]
    part[spare] = 1 + _deal(np.arange(len(spare)), strata[spare], sizes[spare], fractions / fractions.sum())
    examples: Ints = part[index]
    return examples


def _calibration(
    dataset: Dataset, index: Ints, strata: Ints, validation: npt.NDArray[np.bool_], seed: int, wanted: int
) -> npt.NDArray[np.bool_]:
    """Which examples are for calibration, bool `[N]`: whole groups of the validation part, each class at its share."""
    if wanted < 0:
        raise InputError(f"The number of examples for calibration cannot be negative, got {wanted}. Take 0 for none.")
    sizes = np.bincount(index[validation], minlength=index.max() + 1)
    order = stream(seed, "calibration").permutation(np.flatnonzero(sizes))
    # Each class is spread evenly over the order, so that whatever its beginning is, it holds every class at its share.
    place = np.empty(len(order))
    for stratum in np.unique(strata[order]):
        ranks = strata[order] == stratum
        place[ranks] = (np.arange(ranks.sum()) + 0.5) / ranks.sum()
    order = order[np.argsort(place, kind="stable")]
    taken: list[int] = []
    left: list[int] = []
    lacking = wanted
    for group in order.tolist():
        fits = sizes[group] <= lacking
        (taken if fits else left).append(group)
        lacking -= int(sizes[group]) if fits else 0
    # What is left are larger groups than the gap: the smallest of them exceeds it least.
    taken += sorted(left, key=lambda group: sizes[group])[: lacking > 0]
    chosen = validation & np.isin(index, taken)
    _check_calibration(dataset, validation & ~chosen, int(validation.sum()), wanted)
    return chosen


def _check_calibration(dataset: Dataset, left: npt.NDArray[np.bool_], validation: int, wanted: int) -> None:
    """Refuse a validation part of which too little is left."""
    lost = [name for code, name in enumerate(dataset.classes or ()) if not (left & (dataset.targets == code)).any()]
    if left.sum() >= LEAST_PER_PART and not lost:
        return
    what = f"none of class {lost[0]!r}" if left.sum() >= LEAST_PER_PART else f"{left.sum()}"
    raise InputError(
        f"{wanted} examples for calibration are too many for {dataset.name!r}: they come out of the {validation} "
        f"validation examples and leave {what}, and validation needs at least {LEAST_PER_PART} and one of every class. "
        f"Take fewer (at most {max(0, validation - LEAST_PER_PART)}), or give more data."
    )


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
    if len(fractions) != len(DEALT) or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(
            f"A split takes {len(DEALT)} positive fractions with sum 1 ({', '.join(DEALT)}), got {fractions}. "
            f"Try {FRACTIONS}."
        )


def _check_parts(dataset: Dataset, part: Ints) -> None:
    counts = np.bincount(part, minlength=len(DEALT))
    own = dataset.held_out is not None
    if counts.min() < LEAST_PER_PART:
        got = ", ".join(f"{name} {count}" for name, count in zip(DEALT, counts.tolist(), strict=True))
        why = " (its own split: what is not held out, and all that shares a group with it, is the pool)" if own else ""
        raise InputError(
            f"Too few examples to split {dataset.name!r}{why}: {len(dataset)} in {len(np.unique(dataset.groups))} "
            f"groups give {got}, and each part needs at least {LEAST_PER_PART}. Give more data, or smaller groups."
        )
    for code, name in enumerate(dataset.classes or ()):
        held = np.bincount(part[dataset.targets == code], minlength=len(DEALT))
        if held.min() == 0:
            groups = len(np.unique(dataset.groups[dataset.targets == code]))
            needs = "one group in the pool and 3 held out" if own else f"at least {len(DEALT)} groups"
            raise InputError(
                f"Class {name!r} of {dataset.name!r} has {held.sum()} examples in {groups} groups, too few for every "
                f"part: none is left for {DEALT[int(held.argmin())]}. Each class needs {needs}; give more data, or "
                "merge or drop rare classes."
            )
