"""What a report shows beyond the headline of one quantizer: ROC curves, leakage by class, exposed examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from quantleak.attacks import Choice, evaluate, unsupported
from quantleak.attacks.evaluation.table import group_codes, score_table
from quantleak.auditing.measures.classes import by_class, leaks_most
from quantleak.auditing.measures.exposed import exposed

GRID = tuple(10.0 ** (step / 8) for step in range(-32, 1))
"""Eight false-positive rates a decade from 0.01% to 1; 0.1%, 1% and 10% are among them."""

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
    half = partial(choice.half, positions=choice.reported_on)
    if choice.fpr is not None and choice.halved == "targets":
        flags = flagged(scores[choice.name], member, choice.fpr)
        tables["exposed"] = exposed(half(flags), half(member), level)
    if classes is not None and choice.supported:
        by_rate = []
        for fpr in choice.supported:
            flags = flagged(scores[choice.name], member, fpr)
            found = by_class(half(flags), half(member), half(classes), half(groups), level)
            by_rate.append({"fpr": np.full(len(found["class"]), fpr), **found})
        tables["classes"] = {column: np.concatenate([one[column] for one in by_rate]) for column in by_rate[0]}
    return {f"{table}/{column}": values for table, columns in tables.items() for column, values in columns.items()}


def worst_classes(
    scores: np.ndarray, choice: Choice, member: np.ndarray, groups: np.ndarray, classes: np.ndarray, level: float
) -> dict[float, int]:
    """By supported false-positive rate the code of the class that leaks most, by the half that chose the attack.

    Args:
        scores: Of the strongest attack, `[targets, examples]`.
        choice: It.
        member: `[targets, examples]`.
        groups: `[examples]`.
        classes: `[examples]` codes.
        level: Confidence level of the intervals.
    """
    half = partial(choice.half, positions=choice.chosen_on)
    found = {
        fpr: leaks_most(by_class(half(flagged(scores, member, fpr)), half(member), half(classes), half(groups), level))
        for fpr in choice.supported
    }
    return {fpr: code for fpr, code in found.items() if code is not None}


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
