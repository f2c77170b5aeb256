"""Compares two finished audits, or two quantizers of one: which figures differ beyond chance."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from quantleak.attacks import Crossed
from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.run import attack_key
from quantleak.comparison.comparison import HIGHER, LOWER, NONE, UNKNOWN, AuditComparison, Compared
from quantleak.comparison.differences import Difference, Side, differences_of
from quantleak.comparison.intervals import holm, p_value
from quantleak.errors import InputError
from quantleak.ptq import procedure
from quantleak.report.names import spec_of
from quantleak.results import AuditRecord, is_scores
from quantleak.store import differences as leaves
from quantleak.store import read_arrays, read_json, read_run


def kept_worst(folder: str | Path, result: AuditRecord) -> dict[str, Crossed]:
    """The worst attack's headline in every target, by quantizer; those only whose job is there and whole.

    All quantizers of one audit share their targets and examples, so that the differences are paired.

    Args:
        folder: Where the audit was made.
        result: Its result; a folder of another run has nothing to say about it.
    """
    folder = Path(folder)
    if (read_run(folder) or {}).get("id") != result.id:
        return {}
    found: dict[str, Crossed] = {}
    for place, spec in enumerate(result.settings.get("quantizers", [])):
        # A missing or damaged job costs the pairing, not the comparison.
        with suppress(InputError):
            found[spec] = AttackOutput.whole(*read_arrays(folder / "jobs" / f"{attack_key(place)}.npz")).leakage
    quantized_first = {row.spec: row.worst.via for row in result.quantizers if row.worst.via is not None}
    return {spec: found[quantized_first.get(spec, spec)] for spec in found if quantized_first.get(spec, spec) in found}


def compare_audits(
    first: AuditRecord | str | Path,
    second: AuditRecord | str | Path,
    *,
    quantizer: str | None = None,
    against: str | None = None,
) -> AuditComparison:
    """Differences, second minus first, of utility, worst leakage, AUC and r_Q for each quantizer that both audited.

    Args:
        first: A finished audit, or its folder. From a folder also the figures of each target are read.
        second: Another one, or the same.
        quantizer: Only this quantizer.
        against: Compare `quantizer` of the first with this one of the second.

    Raises:
        InputError: Audits of different tasks or metrics, a quantizer that was not audited, `against` without
            `quantizer`, or nothing in common.
    """
    (one, kept_one), (two, kept_two) = _opened(first), _opened(second)
    _require_alike(one, two)
    pairs = _pairs(one, two, quantizer, against)
    figures = [
        (spec, other, row)
        for spec, other in pairs
        for row in differences_of(
            Side(audit=one, spec=spec, worst=kept_one.get(spec)), Side(audit=two, spec=other, worst=kept_two.get(other))
        )
    ]
    level = float(one.settings.get("level", 0.95))
    p_values = [p_value(row.difference, level) for _, _, row in figures]
    beyond = holm(p_values, 1 - level)
    rows = [
        Compared(quantizer=spec, against=other, figures=row, p=p, verdict=_verdict(row, p, rejected))
        for (spec, other, row), p, rejected in zip(figures, p_values, beyond, strict=True)
    ]
    return AuditComparison(rows=rows, warnings=_warnings(one, two, named=quantizer is not None), level=level)


def _opened(audit: AuditRecord | str | Path) -> tuple[AuditRecord, Mapping[str, Crossed]]:
    if isinstance(audit, AuditRecord):
        return audit, {}
    path = Path(audit) / "result.json"
    if path.exists() and is_scores(read_json(path)):
        raise InputError(f"{audit} holds the result of `quantleak attack`; give folders of `quantleak audit`.")
    result = AuditRecord.load(audit)
    return result, kept_worst(audit, result)


def _require_alike(one: AuditRecord, two: AuditRecord) -> None:
    differing = [
        f"{name}: {a} and {b}"
        for name, a, b in (
            ("task", one.task, two.task),
            ("utility", one.quantizers[0].utility.metric, two.quantizers[0].utility.metric),
            ("level", one.settings.get("level"), two.settings.get("level")),
        )
        if a != b
    ]
    if differing:
        raise InputError(f"These audits cannot be compared, they differ in {'; '.join(differing)}.")


def _pairs(one: AuditRecord, two: AuditRecord, quantizer: str | None, against: str | None) -> list[tuple[str, str]]:
    if quantizer is None:
        if against is not None:
            raise InputError(f"--against {against} needs --quantizer: which one of the first audit to put beside it?")
        common = [row.spec for row in one.quantizers if row.spec in {other.spec for other in two.quantizers}]
        if not common:
            raise InputError("These audits have no quantizer in common; name two with --quantizer and --against.")
        return [(spec, spec) for spec in common]
    return [(audited(one, quantizer), audited(two, quantizer if against is None else against))]


def audited(result: AuditRecord, spec: str) -> str:
    """The spec as this audit writes it, from a spec or from the name that its report shows, such as `1 bit`.

    Raises:
        InputError: If it is no quantizer, or was not audited.
    """
    known = spec_of(spec, [row.spec for row in result.quantizers])
    return result[procedure(spec).spec].spec if known is None else known


def _verdict(row: Difference, p: float | None, rejected: bool) -> str:
    if p is None or row.difference.value is None:
        return UNKNOWN
    if not rejected:
        return NONE
    return HIGHER if row.difference.value > 0 else LOWER


def _warnings(one: AuditRecord, two: AuditRecord, *, named: bool) -> list[str]:
    if one.id == two.id:
        return []
    differing = []
    for what, a, b in (("data", one.data, two.data), ("sizes", one.n, two.n), ("settings", one.settings, two.settings)):
        if found := [line for line in leaves(a, b) if not line.startswith("quantizers:")]:
            differing.append(f"The {what} differ: {'; '.join(found)}.")
    for place, mine, other in (("first", one, two), ("second", two, one)):
        alone = [row.spec for row in mine.quantizers if row.spec not in {o.spec for o in other.quantizers}]
        if alone and not named:
            differing.append(f"Only in the {place} audit: {', '.join(alone)}.")
    return differing
