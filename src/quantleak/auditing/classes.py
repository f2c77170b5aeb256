"""Leakage by class: one threshold per target, as the attacker has it, and what it finds within each class."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.table import group_codes
from quantleak.attacks.evaluation.trials import wilson

RARE = 0.5
"""A class is rare if it has less than this times an equal share of the pool."""


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
    """Shares of members found and of false alarms among non-members, class by class.

    Shares are pooled over targets, so that a class of few examples, which some target has no member of, has them too.
    Intervals are those of a crossed design of targets and groups of examples, given the thresholds.

    Args:
        flags: `[targets, examples]`, whom the attacker calls a member.
        member: `[targets, examples]`, true membership.
        classes: `[examples]`, codes 0 to C-1.
        groups: `[examples]`, equal values mark examples that belong together.
        level: Confidence level.

    Returns:
        `class` `[C]`, `examples` `[C]`, and `found`, `alarms` with `_low` and `_high`, float64 `[C]`; NaN where a class
        has no members (non-members), or too few examples for an interval.
    """
    codes = np.arange(int(classes.max()) + 1)
    table: dict[str, np.ndarray] = {"class": codes, "examples": np.bincount(classes)}
    for name, side in (("found", member), ("alarms", ~member)):
        shares = [
            _share(flags[:, one], side[:, one], groups[one], level) for one in (classes == code for code in codes)
        ]
        table[name], table[f"{name}_low"], table[f"{name}_high"] = np.array(shares, dtype=np.float64).T
    return table


def _share(
    flags: np.ndarray, side: np.ndarray, groups: np.ndarray, level: float
) -> tuple[float, float | None, float | None]:
    """The share of flags on one side, pooled over targets, with its interval; NaN where the side is empty."""
    total = side.sum()
    if not total:
        return np.nan, None, None
    share = float((flags & side).sum() / total)
    # The ratio of two sums, as a mean over targets of its linear approximation.
    cells = side * (flags - share) * len(flags) / total
    each = share + cells.sum(axis=1)
    by_example = cells - side * (cells.sum(axis=1) / np.maximum(side.sum(axis=1), 1))[:, None]
    crossed = Crossed.of(each, by_example, group_codes(groups, len(groups)))
    least = [wilson(share, int(total), level)] if share in (0.0, 1.0) else []
    found = crossed.share(level, least)
    return share, found.low, found.high
