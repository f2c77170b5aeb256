"""What a report tells beyond the headline of one quantizer: ROC curves, leakage by class, the most exposed examples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantleak.attacks.worst_case import Worst
from quantleak.auditing.classes import by_class
from quantleak.auditing.curves import mean_curve
from quantleak.auditing.exposure import most_exposed
from quantleak.auditing.flags import flagged

LOSS = "loss/none"
"""The attack that needs nothing but the target: the curve beside that of the worst attack."""


def details(
    scores: Mapping[str, np.ndarray],
    worst: Worst,
    member: np.ndarray,
    groups: np.ndarray,
    classes: np.ndarray | None,
    level: float,
) -> dict[str, np.ndarray]:
    """Columns of the tables `roc`, `classes` and `exposed`, each under `@table/column`.

    All figures are of the targets that did not choose the worst attack, so that they agree with its headline. Without
    a supported false-positive rate nobody can be flagged: then there are only curves, if any.

    Args:
        scores: `[targets, examples]` by `attack/mode`.
        worst: The worst of them.
        member: `[targets, examples]`.
        groups: `[examples]`.
        classes: `[examples]` codes, None for regression.
        level: Confidence level of the intervals.
    """
    half = worst.reported_on
    tables = {"roc": _curves(scores, worst, member[half], groups, level)}
    if worst.fpr is not None:
        flags = flagged(scores[worst.name], member, worst.fpr)
        tables["exposed"] = most_exposed(scores[worst.name], flags, member, worst.chosen_on, half)
        if classes is not None:
            tables["classes"] = by_class(flags[half], member[half], classes, groups, level)
    return {f"@{table}/{column}": values for table, columns in tables.items() for column, values in columns.items()}


def _curves(
    scores: Mapping[str, np.ndarray], worst: Worst, member: np.ndarray, groups: np.ndarray, level: float
) -> dict[str, np.ndarray]:
    curves = []
    for key in dict.fromkeys((worst.name, LOSS)):
        curve = mean_curve(scores[key][worst.reported_on], member, groups, level)
        name, _, mode = key.partition("/")
        size = len(curve["fpr"])
        curves.append({"attack": np.full(size, name), "mode": np.full(size, mode), **curve})
    return {column: np.concatenate([curve[column] for curve in curves]) for column in curves[0]}
