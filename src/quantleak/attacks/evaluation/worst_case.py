"""The headline: the strongest of several attacks, chosen on one half of the targets and reported on the other.

The largest of several noisy figures is too large. Choosing on other targets than those reported removes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from quantleak.attacks.evaluation.metrics import FPRS, LEVEL, Metrics, evaluate
from quantleak.attacks.evaluation.support import unsupported
from quantleak.attacks.evaluation.table import ScoreTable, group_codes, score_table
from quantleak.attacks.evaluation.threshold import halves
from quantleak.errors import InputError
from quantleak.results import Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """The strongest of several attacks and what it achieves where it was not chosen.

    Attributes:
        name: Its key among the candidates.
        fpr: The smallest false positive rate that both halves support; None if they support none.
        supported: All that both halves support.
        estimate: Its TPR at that rate, or its AUC where `fpr` is None, with an interval.
        metrics: All its metrics on the reporting half.
        halved: Whether `targets` were halved or, for a single target, its `examples`.
        chosen_on: Positions of the targets (examples) that the choice was made on; all where there was one candidate.
        reported_on: Positions of the others; of one candidate all.
    """

    name: Any
    fpr: float | None
    supported: tuple[float, ...]
    estimate: Estimate
    metrics: Metrics = field(repr=False)
    halved: Literal["targets", "examples"]
    chosen_on: np.ndarray = field(repr=False)
    reported_on: np.ndarray = field(repr=False)

    def half(self, values: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Of values `[T, N]` the targets (of a single target: the examples) at `positions`, one of the two halves.

        Of values `[N]` of the examples: all where targets were halved, else those at `positions`.
        """
        return _half(self.halved, values, positions)


def worst_case(
    candidates: Mapping[Any, np.ndarray],
    member: np.ndarray,
    *,
    fprs: tuple[float, ...] = FPRS,
    groups: np.ndarray | None = None,
    level: float = LEVEL,
) -> Choice:
    """Choose the attack with the highest TPR at the smallest supported FPR on half of the targets, report the rest.

    The targets with even positions choose. Equal TPRs are decided by the AUC, equal AUCs by the order of the
    candidates; where no rate is supported the AUC chooses and is reported. A single target is cut into two halves of
    its examples. Of one candidate nothing is chosen, and everything reports.

    Args:
        candidates: Scores [T, N] by a key of the attack, such as its name, larger = more likely a member.
        member: [T, N] bool.
        fprs: False positive rates to choose from.
        groups: [N], equal values mark examples that belong together.
        level: Confidence level of the intervals.

    Raises:
        InputError: If there is no candidate, or scores do not fit `member`, or a half lacks members or non-members.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> member = rng.random((8, 400)) < 0.5
        >>> noise = rng.normal(size=member.shape)
        >>> worst = worst_case({"weak": member + 3 * noise, "strong": member + noise}, member)
        >>> worst.name, worst.fpr
        ('strong', 0.1)
    """
    if not candidates:
        raise InputError("worst_case needs at least one attack's scores, got none.")
    member = np.atleast_2d(member)
    codes = group_codes(groups, member.shape[1])
    halved, chosen_on, reported_on = _cut(member, codes)
    if len(candidates) == 1:
        chosen_on = reported_on = np.arange(member.shape[halved == "examples"])
    half = partial(_half, halved)
    choosing, reporting = half(member, chosen_on), half(member, reported_on)
    scores = {name: np.atleast_2d(each) for name, each in candidates.items()}
    tables = {name: score_table(half(each, chosen_on), choosing) for name, each in scores.items()}
    supported = _supported(fprs, choosing, half(codes, chosen_on))
    supported = _supported(supported, reporting, half(codes, reported_on))
    fpr = min(supported, default=None)
    name = max(tables, key=lambda candidate: _strength(tables[candidate], fpr))
    metrics = evaluate(
        half(scores[name], reported_on),
        reporting,
        fprs=fprs,
        groups=None if groups is None else half(groups, reported_on),
        level=level,
    )
    return Choice(
        name=name,
        fpr=fpr,
        supported=supported,
        estimate=metrics.auc if fpr is None else metrics.tpr[fpr],
        metrics=metrics,
        halved=halved,
        chosen_on=chosen_on,
        reported_on=reported_on,
    )


def _cut(member: np.ndarray, groups: np.ndarray) -> tuple[Literal["targets", "examples"], np.ndarray, np.ndarray]:
    if len(member) > 1:
        every = np.arange(len(member))
        return "targets", every[::2], every[1::2]
    fold = halves(member[0].astype(bool), groups)
    return "examples", np.flatnonzero(fold == 0), np.flatnonzero(fold == 1)


def _half(halved: Literal["targets", "examples"], values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    if halved == "examples":
        return values[..., positions]
    return values if values.ndim == 1 else values[positions]


def _supported(fprs: tuple[float, ...], member: np.ndarray, groups: np.ndarray) -> tuple[float, ...]:
    return tuple(alpha for alpha in fprs if unsupported(alpha, member, groups) is None)


def _strength(table: ScoreTable, fpr: float | None) -> tuple[float, float]:
    auc = float(table.auc().mean())
    return (auc if fpr is None else float(table.tpr_at_exactly(fpr).mean()), auc)
