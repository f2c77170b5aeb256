"""The jobs that attack: every row of the study, float networks that were stopped early, and small float networks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quantleak.attacks import (
    ATTACKS,
    AttackKind,
    CannotRecalibrate,
    LiRA,
    Mode,
    NotEnoughShadows,
    Signals,
    evaluate,
)
from quantleak.attacks.evaluation.metrics import FPRS, Metrics
from quantleak.attacks.evaluation.table import group_codes
from quantleak.attacks.evaluation.worst_case import worst_case
from quantleak.attacks.pipeline import needs_shadows, score
from quantleak.auditing.attacks import AttackInputs
from quantleak.auditing.details import flagged
from quantleak.auditing.measures.calibrated import by_use
from quantleak.results import Estimate
from quantleak.store import Arrays, Output
from quantleak.studies.vision.jobs.rows import Row

FPR = 0.01
"""At which claims are judged."""
ADAPTIVE, TRANSFER, RECALIBRATED, NONE, ANY = "adaptive", "transfer", "recalibrated", "none", "any"
ONLINE, PUBLISHED = "lira-online", "lira-published"
STRONGEST = "strongest"
KINDS = (
    *ATTACKS,
    AttackKind(name="lira-global", description="online, one variance", convention=LiRA.preset("carlini2022-fixed")),
    AttackKind(name=PUBLISHED, description="as in arXiv 2512.15335", convention=LiRA.preset("quant-mia")),
)
"""Every attack of an audit, LiRA with one variance for everything, and LiRA under the paper's conventions."""
FEW = tuple(kind for kind in KINDS if kind.name in (ONLINE, "loss"))

Scores = dict[tuple[str, str], np.ndarray]
"""`[T, N]` by (attack, mode)."""


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """What one attack achieves in one mode, the mean over targets.

    Attributes:
        attack: Its name, or `strongest`.
        mode: Which shadows it has; of the strongest, which modes were open to it.
        metric: `auc`, or `tpr@` with a false positive rate.
        estimate: With its interval.
        spread: Standard deviation over targets; None of what has no value.
        chosen: Of the strongest, what was chosen, `attack, mode`.
    """

    attack: str
    mode: str
    metric: str
    estimate: Estimate
    spread: float | None = None
    chosen: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowOutput(Output):
    """What the attacks on one row leave.

    Attributes:
        figures: One for each attack, mode and metric; those of the strongest on the half of the targets that did not
            choose it, all others on all targets.
        columns: By `attack/mode/metric`, values `[T]` of each target, for spreads and paired differences.
        influence: By `attack/mode/metric`, what each group of examples adds, float32 `[T, groups]`; of online LiRA,
            ours and the paper's, and of the strongest.
        examples: By mode, for every example the share of the targets trained on it in which online LiRA calls it a
            member at 1% false positives, `[2, N]`: of the targets with even and with odd numbers; NaN where none of
            them was trained on it. Empty where the examples do not support that rate.
        calibrated: By mode, leakage of members that the quantizer read apart from others; see `by_use`.
        seconds: Time spent.
    """

    figures: list[Attacked]
    columns: Arrays
    influence: Arrays
    examples: Arrays
    calibrated: dict[str, dict[str, Estimate]]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """What the attack jobs on one data set share.

    Attributes:
        rows: Every quantizer of the study.
        inputs: Signals of the fleet under each of them.
        others: Float models that were stopped early, and small ones, by name.
    """

    rows: dict[str, Row]
    inputs: AttackInputs
    others: dict[str, Signals]


@dataclass(frozen=True)
class RowJob:
    """The attacks on all models of a data set under one row, or on its float models under the name in `others`."""

    output: ClassVar[type[RowOutput]] = RowOutput

    data: str
    name: str

    def __call__(self, shared: Mapping[str, Targets]) -> RowOutput:
        """All figures of the row."""
        targets = shared[self.data]
        inputs = targets.inputs
        if self.name in targets.others:
            signals = targets.others[self.name]
            modes, kinds = [Mode(name=ADAPTIVE, targets=signals, shadows=signals)], FEW
            whole = False
        else:
            modes, whole = inputs.modes(self.name), targets.rows[self.name].whole
            kinds = KINDS if whole else FEW
            modes = modes if whole else [mode for mode in modes if mode.name != RECALIBRATED]
        return attacked(kinds, modes, inputs, inputs.calibrated.get(self.name), whole)


def attacked(
    kinds: Iterable[AttackKind], modes: list[Mode], inputs: AttackInputs, calibrated: np.ndarray | None, whole: bool
) -> RowOutput:
    """Run attacks in some modes.

    Args:
        kinds: Which.
        modes: Of the attacker.
        inputs: Memberships and groups.
        calibrated: On which members the models were calibrated, None if on none.
        whole: Whether the strongest is looked for, and what every example contributes is kept at every rate.
    """
    member, groups, level = inputs.member, inputs.groups, inputs.level
    start = time.perf_counter()
    scores = _scores(kinds, modes, inputs)
    figures: list[Attacked] = []
    columns: Arrays = {}
    influence: Arrays = {}
    examples: Arrays = {}
    by_mode: dict[str, dict[str, Estimate]] = {}
    for (attack, mode), each in scores.items():
        found = evaluate(each, member, fprs=FPRS, groups=groups, level=level)
        figures += _figures(attack, mode, found)
        columns |= _columns(attack, mode, found)
        if attack == PUBLISHED:
            influence |= _influence(attack, mode, found, (FPR,))
        if attack == ONLINE:
            influence |= _influence(attack, mode, found, FPRS if whole else (FPR,))
            flags = None if found.tpr[FPR].value is None else flagged(each, member, FPR)
            if flags is not None:
                examples[mode] = np.stack([_found(flags[half::2], member[half::2]) for half in (0, 1)])
            if calibrated is not None and calibrated.any():
                codes = group_codes(groups, len(groups))
                by_mode[mode] = by_use(each, flags, member, calibrated, codes, level)
    for name, open_to in _open(scores).items() if whole else ():
        choice = worst_case(open_to, member, fprs=(FPR,), groups=groups, level=level)
        chosen = ", ".join(choice.name)
        figures += _figures(STRONGEST, name, choice.metrics, chosen)
        columns |= _columns(STRONGEST, name, choice.metrics)
        influence |= _influence(STRONGEST, name, choice.metrics, (FPR,))
    return RowOutput(
        figures=figures,
        columns=columns,
        influence=influence,
        examples=examples,
        calibrated=by_mode,
        seconds=time.perf_counter() - start,
    )


def _scores(kinds: Iterable[AttackKind], modes: list[Mode], inputs: AttackInputs) -> Scores:
    found: Scores = {}
    for kind in kinds:
        for mode in modes if needs_shadows(kind) else modes[:1]:
            try:
                found[kind.name, mode.name if needs_shadows(kind) else NONE] = score(
                    kind, mode, inputs.pairing, inputs.task
                )
            except (NotEnoughShadows, CannotRecalibrate):
                continue  # the table has no such row
    return found


def _found(flags: np.ndarray, member: np.ndarray) -> np.ndarray:
    """For every example the share of the targets trained on it that give it away, NaN without any."""
    trained = member.sum(0)
    return np.where(trained > 0, (flags & member).sum(0) / np.maximum(trained, 1), np.nan)


def _open(scores: Scores) -> dict[str, Scores]:
    """By name, what an attacker may choose from: everything, or what float, or quantized, shadows allow."""
    allowed = {
        ANY: (ADAPTIVE, TRANSFER, RECALIBRATED, NONE),
        ADAPTIVE: (ADAPTIVE, NONE),
        TRANSFER: (TRANSFER, RECALIBRATED, NONE),
    }
    found = {name: {key: one for key, one in scores.items() if key[1] in modes} for name, modes in allowed.items()}
    return {name: some for name, some in found.items() if any(key[1] != NONE for key in some)}


def _figures(attack: str, mode: str, found: Metrics, chosen: str = "") -> list[Attacked]:
    estimates = {"auc": found.auc} | {f"tpr@{alpha:g}": estimate for alpha, estimate in found.tpr.items()}
    each = {"auc": found.per_target.auc} | {f"tpr@{alpha:g}": values for alpha, values in found.per_target.tpr.items()}
    return [
        Attacked(
            attack=attack,
            mode=mode,
            metric=metric,
            estimate=estimate,
            spread=None if estimate.value is None or len(each[metric]) < 2 else float(each[metric].std(ddof=1)),
            chosen=chosen,
        )
        for metric, estimate in estimates.items()
    ]


def _columns(attack: str, mode: str, found: Metrics) -> Arrays:
    values = {"auc": found.crossed(None).values, "balanced_accuracy": found.per_target.balanced_accuracy}
    values |= {f"tpr@{a:g}": found.crossed(a).values for a, one in found.tpr.items() if one.value is not None}
    return {f"{attack}/{mode}/{metric}": column for metric, column in values.items()}


def _influence(attack: str, mode: str, found: Metrics, fprs: tuple[float, ...]) -> Arrays:
    kept = {"auc": None} | {f"tpr@{alpha:g}": alpha for alpha in fprs if found.tpr[alpha].value is not None}
    return {
        f"{attack}/{mode}/{metric}": found.crossed(alpha).influence.astype(np.float32) for metric, alpha in kept.items()
    }
