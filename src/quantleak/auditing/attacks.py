"""The job of one quantizer: every attack in every mode on all models of the fleet, each attacked with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantleak.attacks import (
    RMIA,
    BaVarIA,
    CannotRecalibrate,
    Crossed,
    LiRA,
    Metrics,
    NamedAttack,
    NotEnoughShadows,
    bavaria,
    calibrated,
    evaluate,
    installed_attack,
    leave_one_out,
    lira,
    log_density,
    log_probability,
    loss_attack,
    per_example,
    recalibrate,
    residual_phi,
    rmia,
    worst_case,
)
from quantleak.attacks.evaluation.table import group_codes
from quantleak.auditing.details import details
from quantleak.errors import InputError
from quantleak.results import Estimate

FPRS = (0.001, 0.01, 0.1)
MODES = ("adaptive", "transfer", "recalibrated")


@dataclass(frozen=True, kw_only=True)
class AttackKind:
    """One attack of an audit: LiRA, BaVarIA or RMIA under one convention, or LOSS without any."""

    name: str
    description: str
    convention: LiRA | BaVarIA | RMIA | None

    @property
    def signal(self) -> Literal["log_odds", "log_probability"]:
        """What it reads; see `NamedAttack`."""
        return "log_probability" if isinstance(self.convention, RMIA) else "log_odds"

    @property
    def population(self) -> bool:
        """Whether it reads signals of the population too."""
        return isinstance(self.convention, RMIA)

    def __call__(self, target: np.ndarray, shadows: np.ndarray, member: np.ndarray, **others: np.ndarray) -> np.ndarray:
        """Scores, as `leave_one_out` asks for them."""
        if isinstance(self.convention, LiRA):
            return lira(target, shadows, member, convention=self.convention, **others)
        if isinstance(self.convention, BaVarIA):
            return bavaria(target, shadows, member, convention=self.convention, **others)
        if isinstance(self.convention, RMIA):
            return rmia(target, shadows, member, convention=self.convention, **others)
        return loss_attack(target)

    def to_dict(self) -> dict[str, Any]:
        """The convention for a result."""
        return {} if self.convention is None else self.convention.to_dict()


ATTACKS = (
    AttackKind(name="loss", description="how confident in the true label; no shadows", convention=None),
    AttackKind(name="lira-online", description="likelihood ratio of IN against OUT shadows", convention=LiRA()),
    AttackKind(
        name="lira-offline", description="how unusually confident, OUT shadows only", convention=LiRA(mode="offline")
    ),
    AttackKind(
        name="lira-offline-two-sided",
        description="how unusual, either way, OUT shadows only",
        convention=LiRA(mode="offline", tail="two"),
    ),
    AttackKind(
        name="bavaria-online",
        description="likelihood ratio of IN against OUT shadows of uncertain mean and variance",
        convention=BaVarIA(),
    ),
    AttackKind(
        name="bavaria-offline",
        description="how unusually confident, OUT shadows of uncertain mean and variance",
        convention=BaVarIA(mode="offline"),
    ),
    AttackKind(
        name="rmia-online", description="ratio to IN and OUT references, against a population", convention=RMIA()
    ),
    AttackKind(
        name="rmia-offline",
        description="ratio to OUT references, against a population",
        convention=RMIA(mode="offline"),
    ),
)


PER_EXAMPLE = NamedAttack(name="per-example", description="p-value of every example by itself", score=per_example)
"""Not among those whose ROC is pooled over examples: its threshold claims the same rate for every one of them."""


def extra_attack(name: str) -> NamedAttack:
    """The attack of another package that a setting names.

    Raises:
        InputError: If it is not installed, cannot be used, or has the name of one of ours.
    """
    if name in {kind.name for kind in ATTACKS}:
        raise InputError(f"'{name}' is the name of a built-in attack, which always runs; leave it out.")
    return installed_attack(name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Signals of all models on pool and population: `phi`, or residuals for regression; `[models, examples]` each."""

    pool: np.ndarray
    population: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class FleetSignals:
    """What all attacks on a fleet share.

    Attributes:
        quantized: Signals of all models by quantizer spec, the full-precision baseline among them.
        baseline: Its spec.
        member: bool `[models, pool]`.
        groups: `[pool]`, examples that share every membership.
        task: `binary`, `multiclass` or `regression`.
        level: Confidence level of the intervals.
        seed: For the draw of equally many shadows.
        classes: `[pool]` codes, None for regression; for the leakage by class.
        extra: Names of attacks that other packages offer, to run beside our own.
    """

    quantized: dict[str, Signals]
    baseline: str
    member: np.ndarray
    groups: np.ndarray
    task: str
    level: float
    seed: int
    classes: np.ndarray | None = None
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class AttackJob:
    """All attacks on the models of the quantizer `spec`."""

    spec: str

    def __call__(self, fleet: FleetSignals) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Values for each target, what paired differences need, and the estimates as plain values."""
        return _Attacked(fleet, self.spec).outcome()


@dataclass(frozen=True, eq=False)
class _Attacked:
    fleet: FleetSignals
    spec: str

    def outcome(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        scores: dict[str, np.ndarray] = {}
        outcomes: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for kind, mode in self._candidates():
            key = f"{kind.name}/{mode}"
            outcome = {"name": kind.name, "mode": mode, "convention": kind.to_dict(), "reason": None}
            try:
                scores[key] = self._score(kind, mode)
            except (NotEnoughShadows, CannotRecalibrate) as error:
                outcomes.append(outcome | {"reason": str(error)})
                continue
            metrics = evaluate(
                scores[key], self.fleet.member, fprs=FPRS, groups=self.fleet.groups, level=self.fleet.level
            )
            outcomes.append(outcome | metrics.to_dict())
            arrays |= {f"{key}/{name}": values for name, values in _per_target(metrics).items()}
        worst, kept = self._worst(scores)
        per_example = [row for mode in self._modes() for row in self._per_example(mode)]
        return arrays | kept, {"attacks": outcomes, "worst": worst, "per_example": per_example}

    def _worst(self, scores: dict[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The strongest attack as plain values, and its headline in every target of the reporting half."""
        worst = worst_case(scores, self.fleet.member, fprs=FPRS, groups=self.fleet.groups, level=self.fleet.level)
        chosen = evaluate(
            scores[worst.name][worst.chosen_on],
            self.fleet.member[worst.chosen_on],
            fprs=FPRS,
            groups=self.fleet.groups,
            level=self.fleet.level,
        )
        selection = chosen.auc if worst.fpr is None else chosen.tpr[worst.fpr]
        name, _, mode = worst.name.partition("/")
        values = {**worst.to_dict(), "name": name, "mode": mode, "auc": worst.metrics.auc.to_dict()}
        kept = details(scores, worst, self.fleet.member, self.fleet.groups, self.fleet.classes, self.fleet.level)
        choice = {**selection.to_dict(), "auc": chosen.auc.value}
        return values | {"selection": choice, "via": None}, kept | pack(worst.metrics.crossed(worst.fpr))

    def _candidates(self) -> Iterator[tuple[AttackKind | NamedAttack, str]]:
        kinds: list[AttackKind | NamedAttack] = [*ATTACKS, *map(extra_attack, self.fleet.extra)]
        for kind in kinds:
            yield from ((kind, mode) for mode in (("none",) if kind.convention is None else self._modes()))

    def _modes(self) -> tuple[str, ...]:
        return MODES[:1] if self.spec == self.fleet.baseline else MODES

    def _per_example(self, mode: str) -> list[dict[str, Any]]:
        """The TPR at every rate that per-example p-values claim, and the rate that they achieve, as plain values."""
        try:
            p_values = np.exp(-self._score(PER_EXAMPLE, mode))
        except (NotEnoughShadows, CannotRecalibrate) as error:
            none = {"value": None, "low": None, "high": None, "achieved": None, "spread": None, "cells": 0}
            return [{"mode": mode, "fpr": fpr, **none, "reason": str(error)} for fpr in FPRS]
        codes = group_codes(self.fleet.groups, len(self.fleet.groups))
        rows = []
        for fpr, found in calibrated(p_values, self.fleet.member, FPRS).items():
            share = Crossed.of(found.values, found.influence, codes).share(self.fleet.level)
            tpr = Estimate(value=None, reason=found.reason) if found.tpr is None else share
            claim = {"achieved": found.achieved, "spread": found.spread, "cells": found.cells}
            rows.append({"mode": mode, "fpr": fpr, "reason": None, **tpr.to_dict(), **claim})
        return rows

    def _score(self, kind: AttackKind | NamedAttack, mode: str) -> np.ndarray:
        """Scores `[models, pool]` of one attack in one mode."""
        if kind.convention is None:
            return self._loss_scores()
        signals = _confidence if self.fleet.task == "regression" and kind.signal == "log_odds" else _unchanged
        targets, original = signals(self.fleet.quantized[self.spec]), signals(self.fleet.quantized[self.fleet.baseline])
        shadows = targets if mode == "adaptive" else original
        if mode == "recalibrated":
            targets = _recalibrated(targets, shadows)
        if kind.signal == "log_probability":
            targets, shadows = self._log_probability(targets, shadows), self._log_probability(shadows, shadows)
        return leave_one_out(
            kind,
            targets.pool,
            shadows.pool,
            self.fleet.member,
            population_targets=targets.population if kind.population else None,
            population_shadows=shadows.population if kind.population else None,
            seed=self.fleet.seed,
        )

    def _loss_scores(self) -> np.ndarray:
        """A rising function of minus the loss that neither underflows nor saturates where the loss does."""
        return np.asarray(
            -np.abs(self.fleet.quantized[self.spec].pool)
            if self.fleet.task == "regression"
            else self.fleet.quantized[self.spec].pool
        )

    def _log_probability(self, signals: Signals, references: Signals) -> Signals:
        """Ln p of the true label; for regression the Gaussian density with the references' error on the population."""
        if self.fleet.task != "regression":
            return Signals(pool=log_probability(signals.pool), population=log_probability(signals.population))
        variance = max(float(np.square(references.population).mean()), np.finfo(np.float64).tiny)
        return Signals(
            pool=log_density(signals.pool, np.zeros(1), variance),
            population=log_density(signals.population, np.zeros(1), variance),
        )


WORST = "worst/"
"""What the names of the strongest attack's arrays begin with."""


def pack(headline: Crossed) -> dict[str, np.ndarray]:
    """The figure that ranks attacks, of every target, as arrays to keep; influences in single precision."""
    return {f"{WORST}values": headline.values, f"{WORST}influence": headline.influence.astype(np.float32)}


def unpack(arrays: Mapping[str, np.ndarray]) -> Crossed:
    """What `pack` kept."""
    return Crossed(values=arrays[f"{WORST}values"], influence=arrays[f"{WORST}influence"].astype(np.float64))


def _per_target(metrics: Metrics) -> dict[str, np.ndarray]:
    """Columns for a table with one row per target; a rate that its correction takes out of [0, 1] is cut."""
    each = metrics.per_target
    rates = {f"tpr@{fpr:g}": np.clip(values, 0, 1) for fpr, values in each.tpr.items()}
    return {"auc": each.auc, **rates, "balanced_accuracy": each.balanced_accuracy, "non_members": each.non_members}


def _unchanged(signals: Signals) -> Signals:
    return signals


def _confidence(residuals: Signals) -> Signals:
    """LiRA's signal of residuals."""
    zero = np.zeros(1)
    return Signals(pool=residual_phi(residuals.pool, zero), population=residual_phi(residuals.population, zero))


def _recalibrated(targets: Signals, shadows: Signals) -> Signals:
    """Each target's signals mapped back to full precision, the map fitted on the population with the other models."""
    pool, population = (
        recalibrate(signals, targets.population, shadows.population) for signals in (targets.pool, targets.population)
    )
    return Signals(pool=pool, population=population)
