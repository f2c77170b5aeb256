"""Whether an audit's leakage stays within limits: for a release pipeline.

Judged are the figures that the report shows: those of the half of the targets that did not choose the strongest attack.
Every attack in every mode is judged, not the strongest alone. That needs no correction for their number: the gate
passes only if each single attack is below the limit, so the chance to pass although one of them is above it is no more
than that of this one's interval to fail (an intersection-union test, [Berger1982] R. Berger, *Multiparameter hypothesis
testing and acceptance sampling*, Technometrics 24).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quantleak.comparison.compare import audited
from quantleak.errors import InputError
from quantleak.gate.limits import RECOMMENDED, Limits
from quantleak.gate.result import Check, GateResult
from quantleak.report import digits
from quantleak.report.names import listed, shadows
from quantleak.results import AttackResult, AuditRecord, Estimate, ScoresRecord, WorstClass, opened


def gate(result: AuditRecord | ScoresRecord | str | Path, limits: Limits) -> GateResult:
    """Hold every attack on every judged quantizer, and the worst class under its strongest attack, against the limits.

    A rate that the examples cannot support fails with the reason: nothing passes for want of data. Of the worst class
    the members found less its own false alarms are held against the limit less its false-positive rate. Classes that
    have too few examples are named, and fail only if classes are required.

    Args:
        result: A finished audit, the result of `quantleak attack`, or the folder of either.
        limits: What is allowed, and of whom.

    Raises:
        InputError: A folder without a result, a quantizer that was not audited, a rate that was not measured.
    """
    if isinstance(result, str | Path):
        result = opened(result)
    subjects = _subjects(result, limits.quantizers)
    checks = [check for subject in subjects for check in _checks(subject, limits)]
    source = result.source if isinstance(result, ScoresRecord) else str(result.data.get("name"))
    level = float(result.settings.get("level", 0.95))
    return GateResult(
        audit=result.id, source=source, on=limits.on, level=level, checks=checks, not_run=_not_run(subjects)
    )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is judged.

    Attributes:
        name: Of the quantizer, or of the scores.
        attacks: On it; None where there is nothing to judge.
        strongest: The attack that classes are judged under.
        classes: Its worst class at every rate; none of scores and of regressions.
        unjudged: Classes with too few examples.
        by_class: Whether there are classes at all.
    """

    name: str
    attacks: Sequence[AttackResult] | None
    strongest: str = ""
    classes: Sequence[WorstClass] = ()
    unjudged: Sequence[str] = ()
    by_class: bool = False


def _subjects(result: AuditRecord | ScoresRecord, quantizers: Sequence[str]) -> list[Subject]:
    """Everything that is judged."""
    if isinstance(result, ScoresRecord):
        if quantizers:
            raise InputError("The result of `quantleak attack` has no quantizers; leave out --quantizer.")
        return [Subject(name=result.source, attacks=result.attacks)]
    if not quantizers:
        return [_subject(result, row.spec) for row in result.quantizers if not (row.is_baseline or row.is_control)]
    specs = [result.recommended.quantizer if name == RECOMMENDED else audited(result, name) for name in quantizers]
    return [
        Subject(name=RECOMMENDED, attacks=None) if spec is None else _subject(result, spec)
        for spec in dict.fromkeys(specs)
    ]


def _subject(result: AuditRecord, spec: str) -> Subject:
    row = result[spec]
    return Subject(
        name=spec,
        attacks=row.attacks,
        strongest=f"{row.worst.name} ({shadows(row.worst)})",
        classes=row.classes,
        unjudged=row.unjudged,
        by_class=result.task != "regression",
    )


def _not_run(subjects: Sequence[Subject]) -> list[str]:
    """One sentence for each reason."""
    reasons: dict[str, list[str]] = {}
    for subject in subjects:
        for attack in subject.attacks or ():
            if attack.reason is not None:
                reasons.setdefault(attack.reason, []).append(f"{attack.name} ({attack.mode}) on {subject.name}")
    sentences = [
        f"{listed(names)} could not run and {'was' if len(names) == 1 else 'were'} not judged: {reason}"
        for reason, names in reasons.items()
    ]
    few = list(dict.fromkeys(name for subject in subjects for name in subject.unjudged))
    shown = listed(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "") if few else ""
    return sentences + ([f"Classes not judged, for they have too few examples: {shown}."] if few else [])


def _checks(subject: Subject, limits: Limits) -> list[Check]:
    wanted = [(f"TPR at {digits.rate(fpr)} FPR", f"{fpr:g}", limit) for fpr, limit in limits.tpr]
    wanted += [] if limits.auc is None else [("AUC", "", limits.auc)]
    spec, attacks = subject.name, subject.attacks
    if attacks is None:
        return [_unjudged(spec, measure, limit, "the audit recommends no quantizer") for measure, _, limit in wanted]
    checks = [_check(spec, measure, limit, _figures(attacks, fpr), limits.on) for measure, fpr, limit in wanted]
    return checks + [check for fpr, limit in limits.tpr for check in _of_classes(subject, fpr, limit, limits)]


def _of_classes(subject: Subject, fpr: float, limit: float, limits: Limits) -> list[Check]:
    """The worst class under the strongest attack at this rate, and the classes that must be judged but cannot."""
    checks = []
    allowed = round(limit - fpr, 12) if limit < 1 else 1.0  # a limit of 1 allows everything
    for worst in (row for row in subject.classes if row.fpr == fpr):
        measure = f"class {worst.name}: members found minus false alarms, at {digits.rate(fpr)} FPR"
        checks.append(_check(subject.name, measure, allowed, {subject.strongest: worst}, limits.on))
    if limits.require_classes and subject.by_class and (subject.unjudged or not checks):
        few = listed(subject.unjudged) if subject.unjudged else "all"
        reason = f"too few examples to judge by class: {few}"
        checks.append(_unjudged(subject.name, f"every class, at {digits.rate(fpr)} FPR", allowed, reason))
    return checks


def _figures(attacks: Sequence[AttackResult], fpr: str) -> dict[str, Estimate]:
    """The figure of every attack that ran: its TPR at a rate, or its AUC without one."""
    ran = [attack for attack in attacks if attack.reason is None]
    measured = list(dict.fromkeys(rate for attack in ran for rate in attack.tpr))
    if fpr and fpr not in measured:
        raise InputError(f"--max-tpr {fpr}: was not measured, only TPR at FPR {', '.join(measured)}.")
    return {f"{attack.name} ({shadows(attack)})": attack.tpr[fpr] if fpr else attack.auc for attack in ran}


def _check(spec: str, measure: str, limit: float, figures: Mapping[str, Estimate], on: str) -> Check:
    judged = {name: figure.value if on == "value" else figure.high for name, figure in figures.items()}
    missing = [name for name, value in judged.items() if value is None]
    if missing or not judged:
        reason = next((figures[name].reason for name in missing if figures[name].reason), None)
        return _unjudged(spec, measure, limit, reason or "no attack has a figure with an interval")
    strongest = max(judged, key=lambda name: judged[name] or 0.0)
    return Check(
        quantizer=spec, measure=measure, limit=limit, attack=strongest, figure=figures[strongest],
        judged=judged[strongest], reason=None,
    )  # fmt: skip


def _unjudged(spec: str, measure: str, limit: float, reason: str) -> Check:
    return Check(
        quantizer=spec, measure=measure, limit=limit, attack="", figure=Estimate(value=None, reason=reason),
        judged=None, reason=reason,
    )  # fmt: skip
