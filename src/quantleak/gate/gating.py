"""Whether an audit's leakage stays within limits: for a release pipeline.

Every attack in every mode is judged, not the strongest alone. That needs no correction for their number: the gate
passes only if each single attack is below the limit, so the chance to pass although one of them is above it is no more
than that of this one's interval to fail (an intersection-union test, [Berger1982] R. Berger, *Multiparameter hypothesis
testing and acceptance sampling*, Technometrics 24).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from quantleak.comparison.compare import audited
from quantleak.errors import InputError
from quantleak.gate.limits import RECOMMENDED, Limits
from quantleak.gate.result import Check, GateResult
from quantleak.report import digits
from quantleak.report.names import shadows
from quantleak.results import AttackResult, AuditRecord, Estimate, ScoresRecord, opened


def gate(result: AuditRecord | ScoresRecord | str | Path, limits: Limits) -> GateResult:
    """Hold every attack on every judged quantizer against the limits.

    A rate that the examples cannot support fails with the reason: nothing passes for want of data.

    Args:
        result: A finished audit, the result of `quantleak attack`, or the folder of either.
        limits: What is allowed, and of whom.

    Raises:
        InputError: A folder without a result, a quantizer that was not audited, a rate that was not measured.
    """
    if isinstance(result, str | Path):
        result = opened(result)
    subjects = _subjects(result, limits.quantizers)
    checks = [check for spec, attacks in subjects.items() for check in _checks(spec, attacks, limits)]
    source = result.source if isinstance(result, ScoresRecord) else str(result.data.get("name"))
    level = float(result.settings.get("level", 0.95))
    return GateResult(
        audit=result.id, source=source, on=limits.on, level=level, checks=checks, not_run=_not_run(subjects)
    )


def _subjects(
    result: AuditRecord | ScoresRecord, quantizers: Sequence[str]
) -> Mapping[str, Sequence[AttackResult] | None]:
    """The attacks on everything that is judged, by name; None where there is nothing to judge."""
    if isinstance(result, ScoresRecord):
        if quantizers:
            raise InputError("The result of `quantleak attack` has no quantizers; leave out --quantizer.")
        return {result.source: result.attacks}
    if not quantizers:
        return {row.spec: row.attacks for row in result.quantizers if not row.is_baseline}
    found: dict[str, Sequence[AttackResult] | None] = {}
    for name in quantizers:
        spec = result.recommended.quantizer if name == RECOMMENDED else audited(result, name)
        found |= {RECOMMENDED: None} if spec is None else {spec: result[spec].attacks}
    return found


def _not_run(subjects: Mapping[str, Sequence[AttackResult] | None]) -> list[str]:
    """One sentence for each reason."""
    reasons: dict[str, list[str]] = {}
    for spec, attacks in subjects.items():
        for attack in attacks or ():
            if attack.reason is not None:
                reasons.setdefault(attack.reason, []).append(f"{attack.name} ({attack.mode}) on {spec}")
    return [f"Not judged, for it could not run: {', '.join(names)}: {reason}" for reason, names in reasons.items()]


def _checks(spec: str, attacks: Sequence[AttackResult] | None, limits: Limits) -> list[Check]:
    wanted = [(f"TPR at {digits.rate(fpr)} FPR", f"{fpr:g}", limit) for fpr, limit in limits.tpr]
    wanted += [] if limits.auc is None else [("AUC", "", limits.auc)]
    if attacks is None:
        return [_unjudged(spec, measure, limit, "the audit recommends no quantizer") for measure, _, limit in wanted]
    return [_check(spec, measure, limit, _figures(attacks, fpr), limits.on) for measure, fpr, limit in wanted]


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
