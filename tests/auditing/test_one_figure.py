"""Table, headline, card, gate and comparison of one audit show the same figure, to the digit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import quantleak as ql
from quantleak.comparison.compare import compare_audits
from quantleak.gate.gating import gate
from quantleak.gate.limits import Limits
from quantleak.report import digits
from quantleak.report.summary import summary
from quantleak.results import Estimate


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ql.AuditResult]:
    folder = tmp_path_factory.mktemp("one figure")
    result = ql.audit(
        ql.bundled("breast_cancer"), out=folder, workers=1, model="mlp:32", models=16, epochs=30,
        optimizer="adam:1e-2", quantizers=("sign", "uniform:4"),
    )  # fmt: skip
    return folder, result


def written(figure: Estimate, form: digits.Format = digits.percent) -> str:
    return f"{form(float(figure))} {digits.limits(figure, form)}"


def places(folder: Path, result: ql.AuditResult, spec: str) -> Iterator[tuple[str, str]]:
    """Where the leakage of a quantizer is shown, and the text there."""
    row = next(row for row in summary(result).rows if str(row.cells[0]).endswith(f"({spec})"))
    yield "table", str(row.cells[3])
    rate = result[spec].worst.fpr
    wanted = Limits.read([f"{rate:g}:0.99"], on="value", quantizers=[spec])
    # The gate shows the attack with the largest figure; here the headline's own is looked up.
    worst = result[spec].worst
    wanted_attack = (worst.name, worst.mode, worst.via)
    own = next(one for one in result[spec].attacks if (one.name, one.mode, one.via) == wanted_attack)
    yield "attacks", written(own.tpr[f"{rate:g}"])
    check = gate(result, wanted).checks[0]
    assert check.judged >= result[spec].worst.value
    ql.AuditResult.load(folder).write_pages(folder, spec)
    card = (folder / "privacy-card.md").read_text().replace("\\", "")
    yield "card", re.search(r"^\| Members found [^|]*\| ([^|]*) \|", card, re.MULTILINE)[1]
    assert written(result[spec].worst) in (folder / "report.html").read_text().replace('<span class="limits">', "")
    itself = compare_audits(folder, folder, quantizer=spec)
    yield "compare", next(written(row.figures.first) for row in itself.rows if row.figures.measure.startswith("worst"))
    assert all(row.figures.difference.low in (0.0, None) for row in itself.rows)


@pytest.mark.parametrize("spec", ["sign", "uniform:4", "identity"])
def test_the_leakage_is_the_same_wherever_it_is_shown(audited: tuple[Path, ql.AuditResult], spec: str) -> None:
    folder, result = audited
    expected = written(result[spec].worst)
    assert {where: shown for where, shown in places(folder, result, spec)} == dict.fromkeys(
        ("table", "attacks", "card", "compare"), expected
    )


def test_the_headline_shows_it_too(audited: tuple[Path, ql.AuditResult]) -> None:
    _, result = audited
    chosen = result.recommended.least_leaking or "identity"
    assert written(result[chosen].worst) in result.recommended.reason
    worst = result[chosen].worst_class
    if result.recommended.whom and worst is not None:
        assert written(worst.found) in result.recommended.whom


def test_the_gate_shows_the_class_of_the_table(audited: tuple[Path, ql.AuditResult]) -> None:
    _, result = audited
    worst = result["sign"].worst_class
    check = gate(result, Limits.read(["0.1:0.9"], quantizers=["sign"])).checks[1]
    assert (check.figure, check.measure) == (worst, f"class {worst.name}: members found minus false alarms, at 10% FPR")
    row = next(row for row in summary(result).rows if str(row.cells[0]).endswith("(sign)"))
    assert str(row.cells[-1]).startswith(digits.points(float(worst)))


def test_all_targets_are_in_the_table_of_targets_only_and_labelled(audited: tuple[Path, ql.AuditResult]) -> None:
    folder, result = audited
    targets = pd.read_parquet(folder / "targets.parquet")
    assert set(targets["half"]) == {"choosing", "reporting"}
    assert (targets.groupby(["quantizer", "attack", "mode"]).size() == 16).all()
    for attack in (attack for attack in result["sign"].attacks if attack.reason is None):
        own = targets[
            (targets["quantizer"] == "sign") & (targets["attack"] == attack.name) & (targets["mode"] == attack.mode)
        ]
        assert attack.auc.value == pytest.approx(own.loc[own["half"] == "reporting", "auc"].mean())
    content = json.loads((folder / "result.json").read_text())
    assert content["schema"] == 3
