"""What a report shows beyond the headline of one quantizer: ROC curves, leakage by class, the most exposed examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from quantleak.attacks import Choice, evaluate, unsupported
from quantleak.attacks.evaluation.table import group_codes, score_table
from quantleak.auditing.classes import by_class

GRID = tuple(10.0 ** (step / 8) for step in range(-32, 1))
"""Eight false-positive rates a decade from 0.01% to 1; 0.1%, 1% and 10% are among them."""

MOST = 50
"""Examples listed for each quantizer."""

LOSS = ("loss", "none")
"""The attack that needs nothing but the target: the curve beside that of the worst attack."""


def details(
    scores: Mapping[tuple[str, str], np.ndarray],
    choice: Choice,
    member: np.ndarray,
    groups: np.ndarray,
    classes: np.ndarray | None,
    level: float,
) -> dict[str, np.ndarray]:
    """Columns of the tables `roc`, `classes` and `exposed`, each under `table/column`.

    All figures are of the targets (of a single target: the examples) that did not choose the worst attack, so that they
    agree with its headline. Without a supported false-positive rate nobody can be flagged: then there are only curves,
    if any. Which examples are exposed is a matter of several targets.

    Args:
        scores: `[targets, examples]` by (attack, mode).
        choice: The strongest of them.
        member: `[targets, examples]`.
        groups: `[examples]`.
        classes: `[examples]` codes, None for regression.
        level: Confidence level of the intervals.
    """
    tables = {"roc": _curves(scores, choice, member, groups, level)}
    if choice.fpr is not None:
        flags = flagged(scores[choice.name], member, choice.fpr)
        if choice.halved == "targets":
            chosen_on, reported_on = choice.chosen_on, choice.reported_on
            tables["exposed"] = most_exposed(scores[choice.name], flags, member, chosen_on, reported_on)
        if classes is not None:
            half = partial(choice.half, positions=choice.reported_on)
            tables["classes"] = by_class(half(flags), half(member), half(classes), half(groups), level)
    return {f"{table}/{column}": values for table, columns in tables.items() for column, values in columns.items()}


def _curves(
    scores: Mapping[tuple[str, str], np.ndarray], choice: Choice, member: np.ndarray, groups: np.ndarray, level: float
) -> dict[str, np.ndarray]:
    curves = []
    half = partial(choice.half, positions=choice.reported_on)
    for key in dict.fromkeys((choice.name, LOSS)):
        curve = mean_curve(half(scores[key]), half(member), half(groups), level)
        name, mode = key
        size = len(curve["fpr"])
        curves.append({"attack": np.full(size, name), "mode": np.full(size, mode), **curve})
    return {column: np.concatenate([curve[column] for curve in curves]) for column in curves[0]}


def flagged(
    scores: Float[np.ndarray, "targets examples"], member: Bool[np.ndarray, "targets examples"], alpha: float
) -> Bool[np.ndarray, "targets examples"]:
    """The examples called members at a false-positive rate of at most alpha, bool `[targets, examples]`.

    Each target has its own threshold, the one behind `Roc.tpr_at`: the mean over members is the true-positive rate.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        member: `[targets, examples]`, true membership.
        alpha: False-positive rate.

    Example:
        >>> flagged(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, False]]), 0.0)
        array([[ True, False, False, False]])
    """
    curves = score_table(scores, member).curves
    thresholds = [curve.thresholds[np.searchsorted(curve.fpr, alpha, side="right") - 1] for curve in curves]
    return np.asarray(scores >= np.array(thresholds)[:, None])


def mean_curve(
    scores: Float[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    groups: Int[np.ndarray, " examples"],
    level: float,
) -> dict[str, np.ndarray]:
    """The mean over targets of the true-positive rate at every rate of `GRID` that the examples support.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        member: `[targets, examples]`, true membership.
        groups: `[examples]`, equal values mark examples that belong together.
        level: Confidence level.

    Returns:
        `fpr`, `tpr`, `low`, `high`, float64 of one length, `fpr` ascending; limits are NaN where there are none.
    """
    codes = group_codes(groups, member.shape[1])
    fprs = tuple(alpha for alpha in GRID if unsupported(alpha, member, codes) is None)
    if not fprs:
        return {name: np.empty(0) for name in ("fpr", "tpr", "low", "high")}
    tpr = evaluate(scores, member, fprs=fprs, groups=groups, level=level).tpr
    points = [(alpha, tpr[alpha].value, tpr[alpha].low, tpr[alpha].high) for alpha in fprs]
    return dict(zip(("fpr", "tpr", "low", "high"), np.array(points, dtype=np.float64).T, strict=True))


def most_exposed(
    scores: Float[np.ndarray, "targets examples"],
    flags: Bool[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    chosen_on: Int[np.ndarray, " chosen"],
    reported_on: Int[np.ndarray, " reported"],
) -> dict[str, np.ndarray]:
    """The examples whose membership shows most, and how often an attacker calls each a member.

    An example is listed if the targets `chosen_on` give it away more often when it is a member than when it is not. The
    largest differences come first, of shares drawn towards a half, `(k + 1/2) / (n + 1)`, so that one model alone is
    little evidence; equal ones by how much higher the example then ranks among the non-members. The shares reported are
    those of the targets `reported_on`, which had no part in the choice: the largest of many noisy shares are too large.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        flags: `[targets, examples]`, whom the attacker calls a member; see `flagged`.
        member: `[targets, examples]`, true membership.
        chosen_on: Positions of the targets that choose.
        reported_on: Positions of the others.

    Returns:
        Columns of at most `MOST` rows: `position` among the examples, `found` (share of `members` models trained on it
        that give it away) and `alarms` (share of `others` models not trained on it in which it is flagged).
    """
    first = member[chosen_on]
    called = flags[chosen_on].astype(np.float64)
    rank = _gap(_ranks(scores[chosen_on], first), first, prior=0.0)
    members = member[reported_on].sum(0)
    others = len(reported_on) - members
    usable = (np.nan_to_num(_gap(called, first, prior=0.0)) > 0) & (members > 0) & (others > 0)
    order = np.lexsort((-np.nan_to_num(rank), -_gap(called, first, prior=0.5)))
    top = order[usable[order]][:MOST]
    inside, called = member[reported_on][:, top], flags[reported_on][:, top]
    return {
        "position": top,
        "found": (called & inside).sum(0) / members[top],
        "members": members[top],
        "alarms": (called & ~inside).sum(0) / others[top],
        "others": others[top],
    }


def _gap(values: np.ndarray, member: np.ndarray, prior: float) -> np.ndarray:
    """Mean over the targets that an example is a member of, less that over the others, `[N]`.

    Each mean counts `2 prior` more values whose sum is `prior`; without any it is NaN where there is nothing to count.
    """
    inside, outside = (
        (((values * side).sum(0) + prior) / np.where(count > 0, count, np.nan))
        for side, count in ((side, side.sum(0) + 2 * prior) for side in (member, ~member))
    )
    return np.asarray(inside - outside)


def _ranks(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The share of each target's non-members with a smaller score, `[T, N]`."""
    rows = zip(scores, member, strict=True)
    return np.stack([np.searchsorted(np.sort(row[~inside]), row) / (~inside).sum() for row, inside in rows])
