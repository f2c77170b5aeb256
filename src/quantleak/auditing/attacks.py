"""The job of one quantizer: every attack in every mode on all of its target models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from quantleak.attacks import (
    ATTACKS,
    PER_EXAMPLE,
    Attack,
    Attacked,
    CannotRecalibrate,
    Choice,
    Crossed,
    Mode,
    NotEnoughShadows,
    Pairing,
    Signals,
    attack_all,
    calibrated,
    evaluate,
    extra_attack,
)
from quantleak.attacks.evaluation.metrics import FPRS, per_target
from quantleak.attacks.evaluation.table import group_codes
from quantleak.attacks.pipeline import score
from quantleak.auditing.details import details, flagged, worst_classes
from quantleak.auditing.measures.calibrated import by_use
from quantleak.results import AttackResult, Estimate, PerExample, Worst
from quantleak.store import Arrays, Output

MODES = ("adaptive", "transfer", "recalibrated")


@dataclass(frozen=True, kw_only=True, eq=False)
class AttackInputs:
    """What all attack jobs of an audit share; of a fleet attacked by leave-one-out, targets and shadows are one thing.

    Attributes:
        targets: Signals of the attacked models by quantizer spec, the full-precision baseline among them.
        shadows: Signals of the shadow models, the same quantizers.
        pairing: Which shadows attack which target, and the true membership.
        baseline: The spec of the full-precision baseline.
        groups: `[pool]`, examples that share every membership.
        task: `binary`, `multiclass` or `regression`.
        level: Confidence level of the intervals.
        classes: `[pool]` codes, None for regression; for the leakage by class.
        calibrated: By spec of the quantizers that are calibrated, on which of the pool each target was, bool
            `[T, pool]`; none of them where other examples are used.
        extra: Names of attacks that other packages offer, to run beside our own.
    """

    targets: dict[str, Signals]
    shadows: dict[str, Signals]
    pairing: Pairing
    baseline: str
    groups: np.ndarray
    task: str
    level: float
    classes: np.ndarray | None = None
    calibrated: Mapping[str, np.ndarray] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def member(self) -> np.ndarray:
        """True membership of the targets, bool `[T, pool]`."""
        return self.pairing.member

    def modes(self, spec: str) -> list[Mode]:
        """Which signals an attacker of the models quantized by `spec` has; one mode where they are the baseline."""
        quantized, original = self.shadows[spec], self.shadows[self.baseline]
        shadows = {"adaptive": quantized, "transfer": original, "recalibrated": original}
        return [
            Mode(name=name, targets=self.targets[spec], shadows=shadows[name], recalibrated=name == "recalibrated")
            for name in (MODES[:1] if spec == self.baseline else MODES)
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class AttackOutput(Output):
    """What the attacks on one quantizer leave.

    Attributes:
        attacks: One record per attack and mode.
        worst: The strongest attack on the half of the targets (of a single target: of the examples) that did not
            choose it.
        selection: Its headline on the half that chose.
        selection_auc: Its AUC there.
        per_example: What an attacker finds whose false-positive rate holds for every example.
        values: `[targets]`, the headline of every target of the reporting half.
        influence: `[targets, groups]` float32, what each group of examples adds to it; see `Crossed`.
        columns: `[models]` by `attack/mode/metric`, for a table with one row per target; all targets.
        reporting: Positions of the targets that report; all where a single one was cut into halves.
        tables: Columns of the tables `roc`, `classes` and `exposed`, as `table/column`; see `details`.
        worst_classes: By supported false-positive rate the code of the class that leaks most on the half that chose.
        calibrated: What :func:`~quantleak.auditing.measures.calibrated.by_use` gives; empty without calibration.
    """

    attacks: list[AttackResult]
    worst: Worst
    selection: Estimate
    selection_auc: float
    per_example: list[PerExample]
    values: np.ndarray
    influence: np.ndarray
    columns: Arrays
    reporting: np.ndarray
    tables: Arrays
    worst_classes: dict[float, int]
    calibrated: dict[str, Estimate] = field(default_factory=dict)

    @property
    def leakage(self) -> Crossed:
        """The headline of every target of the reporting half, for paired differences."""
        return Crossed(values=self.values, influence=self.influence.astype(np.float64))


@dataclass(frozen=True)
class AttackJob:
    """All attacks on the models of the quantizer `spec`."""

    output: ClassVar[type[AttackOutput]] = AttackOutput

    spec: str

    def __call__(self, inputs: AttackInputs) -> AttackOutput:
        """Estimates, values of each target, and what paired differences and tables need."""
        attacks: list[Attack] = [*ATTACKS, *map(extra_attack, inputs.extra)]
        modes = inputs.modes(self.spec)
        found = attack_all(attacks, modes, inputs.pairing, task=inputs.task, groups=inputs.groups, level=inputs.level)
        choice = found.choice
        leakage = choice.metrics.crossed(choice.fpr)
        selection, selection_auc = _selection(found, inputs)
        member, groups, classes, level = inputs.member, inputs.groups, inputs.classes, inputs.level
        strongest = found.scores[choice.name]
        return AttackOutput(
            attacks=found.attacks,
            worst=found.worst,
            selection=selection,
            selection_auc=selection_auc,
            per_example=[row for mode in modes for row in _per_example(mode, inputs, choice)],
            values=leakage.values,
            influence=leakage.influence.astype(np.float32),
            columns={
                f"{name}/{mode}/{column}": values
                for (name, mode), scores in found.scores.items()
                for column, values in _per_target(scores, inputs).items()
            },
            reporting=choice.reported_on if choice.halved == "targets" else np.arange(len(member)),
            tables=details(found.scores, choice, member, groups, classes, level),
            worst_classes={} if classes is None else worst_classes(strongest, choice, member, groups, classes, level),
            calibrated=self._calibrated(strongest, choice, inputs),
        )

    def _calibrated(self, scores: np.ndarray, choice: Choice, inputs: AttackInputs) -> dict[str, Estimate]:
        """Leakage of the members used for calibration apart from that of the others, on the half that reports."""
        mask = inputs.calibrated.get(self.spec)
        if mask is None:
            return {}
        half = partial(choice.half, positions=choice.reported_on)
        flags = None if choice.fpr is None else half(flagged(scores, inputs.member, choice.fpr))
        groups = half(inputs.groups)
        codes = group_codes(groups, len(groups))
        return by_use(half(scores), flags, half(inputs.member), half(mask), codes, inputs.level)


def _selection(found: Attacked, inputs: AttackInputs) -> tuple[Estimate, float]:
    """The headline and the AUC of the strongest attack on the half that chose it."""
    choice = found.choice
    scores, member, groups = (
        choice.half(values, choice.chosen_on) for values in (found.scores[choice.name], inputs.member, inputs.groups)
    )
    metrics = evaluate(scores, member, fprs=FPRS, groups=groups, level=inputs.level)
    return metrics.auc if choice.fpr is None else metrics.tpr[choice.fpr], float(metrics.auc)


def _per_example(mode: Mode, inputs: AttackInputs, choice: Choice) -> list[PerExample]:
    """The TPR at every rate that per-example p-values claim, and the rate that they achieve, of the reporting half."""
    half = partial(choice.half, positions=choice.reported_on)
    try:
        p_values = np.exp(-score(PER_EXAMPLE, mode, inputs.pairing, inputs.task))
    except (NotEnoughShadows, CannotRecalibrate) as error:
        return [
            PerExample(value=None, reason=str(error), mode=mode.name, fpr=fpr, achieved=None, spread=None, cells=0)
            for fpr in FPRS
        ]
    groups = half(inputs.groups)
    codes = group_codes(groups, len(groups))
    rows = []
    for fpr, found in calibrated(half(p_values), half(inputs.member), FPRS).items():
        share = Crossed.of(found.values, found.influence, codes).share(inputs.level)
        tpr = Estimate(value=None, reason=found.reason) if found.tpr is None else share
        rows.append(
            PerExample(
                value=tpr.value,
                low=tpr.low,
                high=tpr.high,
                reason=tpr.reason,
                mode=mode.name,
                fpr=fpr,
                achieved=found.achieved,
                spread=found.spread,
                cells=found.cells,
            )
        )
    return rows


def _per_target(scores: np.ndarray, inputs: AttackInputs) -> Arrays:
    """Columns for a table with one row per target; a rate that its correction takes out of [0, 1] is cut."""
    each = per_target(scores, inputs.member, groups=inputs.groups)
    rates = {f"tpr@{fpr:g}": np.clip(values, 0, 1) for fpr, values in each.tpr.items()}
    return {"auc": each.auc, **rates, "balanced_accuracy": each.balanced_accuracy, "non_members": each.non_members}
