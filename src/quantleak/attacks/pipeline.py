"""The one way from signals of targets and shadows to scores, estimates and the strongest attack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from quantleak.attacks.evaluation.metrics import FPRS, Metrics, evaluate
from quantleak.attacks.evaluation.worst_case import Choice, worst_case
from quantleak.attacks.named import NamedAttack
from quantleak.attacks.pairing import Attack, Pairing, Signals
from quantleak.attacks.recalibrate import CannotRecalibrate
from quantleak.attacks.score import log_density, log_probability, residual_phi
from quantleak.attacks.shadows import NotEnoughShadows
from quantleak.results import AttackResult, Estimate, Worst


@dataclass(frozen=True, kw_only=True, eq=False)
class Mode:
    """Which signals an attacker has.

    Attributes:
        name: Such as `adaptive`.
        targets: Of the attacked models.
        shadows: Of the shadow models.
        recalibrated: Whether the targets' signals are first mapped onto those of the shadows, on the population.
    """

    name: str
    targets: Signals
    shadows: Signals
    recalibrated: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacked:
    """What all attacks achieve.

    Attributes:
        attacks: One record per attack and mode, its figures those of the reporting half, the half of the targets (of a
            single target: the examples) that did not choose the strongest; one that could not run says why.
        scores: `[T, N]` by (attack, mode), of those that could.
        choice: The strongest, and which halves chose and report.
        worst: Its headline on the reporting half.
    """

    attacks: list[AttackResult]
    scores: dict[tuple[str, str], np.ndarray]
    choice: Choice
    worst: Worst


def attack_all(
    attacks: Iterable[Attack],
    modes: Sequence[Mode],
    pairing: Pairing,
    *,
    task: str,
    groups: np.ndarray | None,
    level: float,
) -> Attacked:
    """Run every attack in every mode and choose the strongest.

    Args:
        attacks: Ours, published ones, installed ones. LOSS reads no shadows and runs once, in mode `none`.
        modes: What the attacker has, at least one.
        pairing: Which shadows attack which target.
        task: `binary`, `multiclass` or `regression`: what the signals are.
        groups: `[N]`, equal values mark examples that belong together; None if each stands alone.
        level: Confidence level of the intervals.

    Raises:
        InputError: If no attack can run, or a half of the targets has no members or no non-members.
    """
    scores: dict[tuple[str, str], np.ndarray] = {}
    failed: dict[tuple[str, str], str] = {}
    named: dict[tuple[str, str], Attack] = {}
    for attack, mode in _candidates(attacks, modes):
        key = (attack.name, mode.name if needs_shadows(attack) else "none")
        named[key] = attack
        try:
            scores[key] = score(attack, mode, pairing, task)
        except (NotEnoughShadows, CannotRecalibrate) as error:
            failed[key] = str(error)
    choice = worst_case(scores, pairing.member, fprs=FPRS, groups=groups, level=level)

    def record(key: tuple[str, str]) -> AttackResult:
        convention = named[key].to_dict()
        if key in failed:
            return refused(*key, convention, failed[key])
        half = partial(choice.half, positions=choice.reported_on)
        reporting, together = half(pairing.member), None if groups is None else half(groups)
        found = (
            choice.metrics
            if key == choice.name
            else evaluate(half(scores[key]), reporting, fprs=FPRS, groups=together, level=level)
        )
        return measured(*key, convention, found)

    return Attacked(attacks=[record(key) for key in named], scores=scores, choice=choice, worst=headline(choice))


def needs_shadows(attack: Attack) -> bool:
    """Whether an attack reads shadows; only LOSS does not."""
    return attack.convention is not None


def _candidates(attacks: Iterable[Attack], modes: Sequence[Mode]) -> Iterator[tuple[Attack, Mode]]:
    for attack in attacks:
        yield from ((attack, mode) for mode in (modes if needs_shadows(attack) else modes[:1]))


def score(attack: Attack, mode: Mode, pairing: Pairing, task: str) -> np.ndarray:
    """Scores `[T, N]` of one attack in one mode, on the signal that it reads; of several queries their mean.

    Raises:
        NotEnoughShadows: If some example has too few.
        CannotRecalibrate: If the targets' signals cannot be mapped onto those of the shadows.
    """
    targets, shadows = mode.targets, mode.shadows
    if not needs_shadows(attack):
        # Rising functions of minus the loss that neither underflow nor saturate where the loss does.
        return _mean_over_queries(-np.abs(targets.pool) if task == "regression" else targets.pool)
    if task == "regression" and attack.signal == "log_odds":
        targets, shadows = targets.map(_confidence), shadows.map(_confidence)
    if mode.recalibrated:
        targets = pairing.recalibrated(targets, shadows)
    if attack.signal == "log_probability":
        targets, shadows = (_log_probability(signals, shadows, task) for signals in (targets, shadows))
    if isinstance(attack, NamedAttack):
        targets, shadows = targets.map(_mean_over_queries), shadows.map(_mean_over_queries)
    return pairing.scores(attack, targets, shadows)


def _mean_over_queries(signals: np.ndarray) -> np.ndarray:
    """One signal per model and example, as attacks of other packages read it."""
    return np.asarray(signals.mean(axis=-1) if signals.ndim == 3 else signals)


def _confidence(residuals: np.ndarray) -> np.ndarray:
    """LiRA's signal of residuals."""
    return residual_phi(residuals, np.zeros(1))


def _log_probability(signals: Signals, references: Signals, task: str) -> Signals:
    """Ln p of the true label; for regression the Gaussian density with the references' error on the population."""
    if task != "regression":
        return signals.map(log_probability)
    if references.population is None:
        raise NotEnoughShadows("needs population_target and population_shadows")
    variance = max(float(np.square(references.population).mean()), np.finfo(np.float64).tiny)
    return signals.map(lambda residuals: log_density(residuals, np.zeros(1), variance))


def measured(name: str, mode: str, convention: dict[str, Any], metrics: Metrics) -> AttackResult:
    """The record of an attack that ran."""
    return AttackResult(
        name=name,
        mode=mode,
        convention=convention,
        auc=metrics.auc,
        tpr={f"{fpr:g}": estimate for fpr, estimate in metrics.tpr.items()},
        balanced_accuracy=metrics.balanced_accuracy,
        mis_bound=metrics.mis_bound,
        ppv={
            f"{fpr:g}": {f"{prior:g}": estimate for prior, estimate in priors.items()}
            for fpr, priors in metrics.ppv.items()
        },
    )


def refused(name: str, mode: str, convention: dict[str, Any], reason: str) -> AttackResult:
    """The record of an attack that could not run."""
    none = Estimate(value=None, reason=reason)
    return AttackResult(
        name=name,
        mode=mode,
        convention=convention,
        auc=none,
        tpr={},
        balanced_accuracy=none,
        mis_bound=none,
        reason=reason,
    )


def headline(choice: Choice) -> Worst:
    """The record of the strongest attack, whose key is (attack, mode)."""
    (name, mode), found = choice.name, choice.estimate
    return Worst(
        value=found.value,
        low=found.low,
        high=found.high,
        reason=found.reason,
        name=name,
        mode=mode,
        fpr=choice.fpr,
        auc=choice.metrics.auc,
    )
