"""The difference between two attacks, or of one attack on two quantizers, with an interval that uses the pairing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks.evaluation.metrics import LEVEL, Metrics
from quantleak.errors import InputError
from quantleak.results import Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """First minus second, each with its interval; see `Metrics` for the quantities."""

    auc: Estimate
    tpr: dict[float, Estimate]


def compare(first: Metrics, second: Metrics, *, level: float = LEVEL) -> Comparison:
    """Differences of two results of `evaluate` on the same targets and examples.

    What targets and examples have in common cancels: the interval is that of the differences of each target, with the
    differences of the influences of each example.

    Raises:
        InputError: If the two are not about the same targets, examples and groups.

    Example:
        >>> from quantleak.attacks import evaluate
        >>> member = np.random.default_rng(0).random((4, 100)) < 0.5
        >>> one, two = evaluate(member * 1.0, member), evaluate(member * 0.0, member)
        >>> compare(one, two).auc.to_dict()
        {'value': 0.5, 'low': 0.5, 'high': 0.5}
    """
    same = np.array_equal(first.table.member, second.table.member)
    if not same or not np.array_equal(first.table.groups, second.table.groups):
        raise InputError(
            f"compare needs two results on the same targets, examples and groups; these have memberships of shape "
            f"{first.table.member.shape} and {second.table.member.shape}, or of other values."
        )
    return Comparison(
        auc=(first.crossed(None) - second.crossed(None)).estimate(level),
        tpr={alpha: _tpr(alpha, first, second, level) for alpha in first.tpr if alpha in second.tpr},
    )


def _tpr(alpha: float, first: Metrics, second: Metrics, level: float) -> Estimate:
    one, two = first.tpr[alpha], second.tpr[alpha]
    if one.value is None or two.value is None:
        return Estimate(value=None, reason=one.reason or two.reason)
    return (first.crossed(alpha) - second.crossed(alpha)).estimate(level)
