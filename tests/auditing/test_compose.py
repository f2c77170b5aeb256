"""What an audit says of rates, certificates and ranks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import quantleak as ql
from quantleak.report.sections.theory import certificates, rate_table, stability

SMALL: dict[str, Any] = {
    "model": "linear", "models": 8, "epochs": 4, "optimizer": "adam:1e-2",
    "quantizers": ("ternary:0.5", "uniform:5"),
}  # fmt: skip


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> ql.AuditResult:
    folder = tmp_path_factory.mktemp("compose") / "out"
    return ql.audit(ql.bundled("breast_cancer"), out=folder, workers=1, **SMALL)


def test_the_median_is_shown_with_its_interval_and_the_mean_without(audited: ql.AuditResult) -> None:
    for spec in SMALL["quantizers"]:
        shown = audited[spec].rate
        rates = audited.models.loc[audited.models["quantizer"] == spec, "r_q"].to_numpy()
        assert shown.value == pytest.approx(np.median(rates))
        assert (shown.low, shown.high) == (rates.min(), rates.max())  # the extremes of 8 values hold with 99.2%
        assert shown.mean == pytest.approx(rates.mean())
    table = rate_table(audited, "rate", "")
    assert [column.title for column in table.columns][1:3] == ["Median", "Mean"]
    assert table.rows[1].cells[1].limits
    assert not table.rows[1].cells[2].limits


def test_ranks_and_pairs_are_of_sign_tests_on_the_same_models(audited: ql.AuditResult) -> None:
    by_model = audited.models.pivot(index="model", columns="quantizer", values="r_q")
    more = int((by_model["ternary:0.5"] > by_model["uniform:5"]).sum())
    first, second = (audited[spec].rate for spec in SMALL["quantizers"])
    side, winner = ("greater", first) if more > 4 else ("less", second)
    other = "uniform:5" if winner is first else "ternary:0.5"
    p = stats.binomtest(more, 8, alternative=side).pvalue
    assert winner.more_private_than[other] == pytest.approx(1 - p if more != 4 else 0.5)
    assert {first.rank.value, second.rank.value} == {1.0, 2.0}
    # At N = 114 neither is resolved: no ranking is shown, and one is where both are.
    assert stability(audited) is None
    resolved = [replace(row, rate=replace(row.rate, resolution=3.0)) for row in audited.quantizers[1:]]
    assert "sign test" in stability(replace(audited, quantizers=resolved)).caption


def test_a_trajectory_of_one_element_has_no_rate_and_no_certificate(tmp_path: Path) -> None:
    result = ql.audit(ql.bundled("breast_cancer"), out=tmp_path / "out", workers=1, **SMALL | {"evaluate_every": 4})
    for spec in SMALL["quantizers"]:
        row = result[spec]
        assert row.rate.value is row.cramer.value is row.cramer.certificate_start is None
        assert row.rate.reason == "undefined: no model has a defined rate"
        assert row.cramer.certified == row.cramer.certificates == 0
        assert row.rate.elements == 1
    assert certificates(result) is None
    assert "a certificate at n" not in (tmp_path / "out" / "report.html").read_text()
