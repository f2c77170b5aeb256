"""The points of the figure: leakage against utility, one per quantizer, and which of them are worth choosing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quantleak.report import words
from quantleak.report.digits import Interval
from quantleak.report.names import ORIGINAL, in_words

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult

FLOORS = {"r2": -1.0}
"""Utilities below these are all useless; drawn to scale they would press the others together."""

CHANCE_AUC = 0.5


@dataclass(frozen=True, kw_only=True)
class Span:
    """A coordinate with its interval; without one, `low` and `high` are the value."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """One quantizer in the figure.

    Attributes:
        label: The quantizer in words.
        utility: On the horizontal axis; larger is better.
        leakage: On the vertical axis; smaller is better.
        kind: `original` or `quantizer`.
        chosen: Whether it is the recommended one, or the least leaking where none is recommended.
        beyond: Whether its utility lies left of the axis; the point stands at the edge.
        front: Whether no other point has as much utility and as little leakage, and more or less of one of them.
    """

    label: str
    utility: Span
    leakage: Span
    kind: str
    chosen: bool
    beyond: bool = False
    front: bool = False


@dataclass(frozen=True, kw_only=True)
class Points:
    """All points with what the axes are called.

    Attributes:
        shares: Whether leakage is a share, shown in per cent, and not an AUC.
        chance: Leakage of a guess.
        floor: Left end of the axis if points lie beyond it.
        missing: Quantizers without a utility or without a leakage.
    """

    points: tuple[Point, ...]
    utility_title: str
    leakage_title: str
    shares: bool
    chance: float
    floor: float | None
    missing: tuple[str, ...]


def points_of(result: AuditRecord) -> Points:
    """The figure of a result.

    Leakage is the worst attack's headline; where quantizers have it at different false-positive rates, which cannot be
    compared, its AUC.
    """
    rates = {row.worst.fpr for row in result.quantizers}
    fpr = next(iter(rates)) if len(rates) == 1 else None
    metric = result.quantizers[0].utility.metric if result.quantizers else ""
    floor = FLOORS.get(metric, -math.inf)
    chosen = (result.recommended.quantizer, result.recommended.least_leaking)
    made = {row.spec: _point(row, len(rates) == 1, row.spec in chosen) for row in result.quantizers}
    found = [point for point in made.values() if point is not None]
    points = [_drawn(replace(point, front=_is_on_front(point, found)), floor) for point in found]
    return Points(
        points=tuple(points),
        utility_title=words.metric(metric).replace("R2", "R²"),
        leakage_title=words.leakage(fpr),
        shares=fpr is not None,
        chance=CHANCE_AUC if fpr is None else fpr,
        floor=floor if any(point.beyond for point in points) else None,
        missing=tuple(spec for spec, point in made.items() if point is None),
    )


def _point(row: QuantizerResult, comparable: bool, chosen: bool) -> Point | None:
    utility, leakage = _span(row.utility), _span(row.worst if comparable else row.worst.auc)
    if utility is None or leakage is None:
        return None
    original = row.spec == ORIGINAL
    return Point(
        label=in_words(row.spec),
        utility=utility,
        leakage=leakage,
        kind="original" if original else "quantizer",
        chosen=chosen,
    )


def _drawn(point: Point, floor: float) -> Point:
    """The point with its utility no lower than the floor."""
    utility = Span(**{name: max(floor, value) for name, value in vars(point.utility).items()})
    return replace(point, utility=utility, beyond=point.utility.value < floor)


def _span(number: Interval) -> Span | None:
    if number.value is None:
        return None
    low = number.value if number.low is None else number.low
    return Span(value=number.value, low=low, high=number.value if number.high is None else number.high)


def _is_on_front(point: Point, others: Sequence[Point]) -> bool:
    """Whether no other point is at least as good in both and better in one."""
    here = (point.utility.value, -point.leakage.value)
    theirs = [(other.utility.value, -other.leakage.value) for other in others]
    return not any(there != here and there[0] >= here[0] and there[1] >= here[1] for there in theirs)
