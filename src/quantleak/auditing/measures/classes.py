"""Leakage by class: one threshold per target, as the attacker has it, and what it finds within each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.table import group_codes
from quantleak.attacks.evaluation.trials import wilson
from quantleak.results import Estimate

RARE = 0.5
"""A class is rare if it has less than this times an equal share of the pool."""

FEWEST = 10
"""Examples, or groups of examples, from which on a class is judged."""


def is_rare(examples: Int[np.ndarray, " classes"]) -> Bool[np.ndarray, " classes"]:
    """Which classes have less than half of the examples that each would have if all had equally many.

    Example:
        >>> is_rare(np.array([80, 20])), is_rare(np.array([70, 30]))
        (array([False,  True]), array([False, False]))
    """
    return np.asarray(examples < RARE * examples.sum() / len(examples))


def by_class(
    flags: Bool[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    classes: Int[np.ndarray, " examples"],
    groups: Int[np.ndarray, " examples"],
    level: float,
) -> dict[str, np.ndarray]:
    """Shares of members found and of false alarms among non-members, class by class, and what the first exceeds.

    One threshold serves all classes, so that the false alarms of one class can lie above or below the rate that holds
    for all examples. What an attack finds beyond guessing is therefore the excess: members found less the class's own
    false alarms. Shares are pooled over targets, so that a class of few examples, which some target has no member of,
    has them too. Intervals are those of a crossed design of targets and groups of examples, given the thresholds.

    Args:
        flags: `[targets, examples]`, whom the attacker calls a member.
        member: `[targets, examples]`, true membership.
        classes: `[examples]`, codes 0 to C-1.
        groups: `[examples]`, equal values mark examples that belong together.
        level: Confidence level.

    Returns:
        `class` `[C]`, `examples` `[C]`, `supported` `[C]` bool, and `found`, `alarms`, `excess` with `_low` and
        `_high`, float64 `[C]`; NaN where a class has no members (non-members), or too few examples for an interval. A
        class is supported, that is, judged, if its excess has an interval and it has at least 10 groups of examples.
    """
    codes = np.arange(int(classes.max()) + 1)
    rows = []
    for one in (classes == code for code in codes):
        together = group_codes(groups[one], int(one.sum())) if one.any() else groups[:0]
        found, alarms = (_share(flags[:, one], side[:, one], together, level) for side in (member, ~member))
        excess = _excess(found, alarms, level)
        enough = excess.low is not None and together.max(initial=-1) + 1 >= FEWEST
        rows.append((enough, found.estimate, alarms.estimate, excess))
    table: dict[str, np.ndarray] = {"class": codes, "examples": np.bincount(classes)}
    table["supported"] = np.array([row[0] for row in rows], dtype=bool)
    for name, place in (("found", 1), ("alarms", 2), ("excess", 3)):
        estimates = [row[place] for row in rows]
        for suffix, end in (("", "value"), ("_low", "low"), ("_high", "high")):
            table[f"{name}{suffix}"] = np.array([getattr(one, end) for one in estimates], dtype=np.float64)
    return table


def leaks_most(table: Mapping[str, np.ndarray]) -> int | None:
    """The supported class with the largest excess; None if no class is supported."""
    excess = np.where(table["supported"], table["excess"], -np.inf)
    return int(excess.argmax()) if np.isfinite(excess).any() else None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Share:
    """A share of flags, pooled over targets, with its linear parts; no `crossed` where there is nothing to count."""

    estimate: Estimate
    crossed: Crossed | None = None


def _share(flags: np.ndarray, side: np.ndarray, groups: np.ndarray, level: float) -> _Share:
    """The share of flags on one side, pooled over targets, with its interval; no value where the side is empty."""
    total = side.sum()
    if not total:
        return _Share(estimate=Estimate(value=None, reason="no example"))
    share = float((flags & side).sum() / total)
    # The ratio of two sums, as a mean over targets of its linear approximation.
    cells = side * (flags - share) * len(flags) / total
    each = share + cells.sum(axis=1)
    by_example = cells - side * (cells.sum(axis=1) / np.maximum(side.sum(axis=1), 1))[:, None]
    crossed = Crossed.of(each, by_example, groups)
    least = [wilson(share, int(total), level)] if share in (0.0, 1.0) else []
    return _Share(estimate=crossed.share(level, least), crossed=crossed)


def _excess(found: _Share, alarms: _Share, level: float) -> Estimate:
    """Members found less false alarms, its interval at least as far as one side alone leaves it open."""
    if found.crossed is None or alarms.crossed is None:
        return Estimate(value=None, reason="no members or no non-members")
    linear = (found.crossed - alarms.crossed).estimate(level)
    value = float(found.estimate) - float(alarms.estimate)
    if linear.low is None or linear.high is None:
        return Estimate(value=value, reason=linear.reason)
    down, up = linear.high - float(linear), linear.high - float(linear)
    # At 0 and 1 a share does not vary, yet is not certain.
    if float(found.estimate) in (0.0, 1.0) or float(alarms.estimate) in (0.0, 1.0):
        low, high = _ends(found.estimate), _ends(alarms.estimate)
        down = max(down, float(np.hypot(float(found.estimate) - low[0], high[1] - float(alarms.estimate))))
        up = max(up, float(np.hypot(low[1] - float(found.estimate), float(alarms.estimate) - high[0])))
    return Estimate(value=value, low=max(-1.0, value - down), high=min(1.0, value + up))


def _ends(estimate: Estimate) -> tuple[float, float]:
    value = float(estimate)
    return value if estimate.low is None else estimate.low, value if estimate.high is None else estimate.high
