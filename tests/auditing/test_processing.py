"""The original's attacker may quantize first: no quantized version leaks more where the choice is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quantleak as ql
from quantleak.attacks import LeaveOneOut, Signals
from quantleak.auditing.attacks import AttackInputs, AttackJob
from quantleak.auditing.processing import quantize_first
from quantleak.comparison.compare import kept_worst
from quantleak.data import membership

MODELS, POOL = 8, 300


def attacked(*, heavy: bool):
    """Signals with wild outliers, of which the quantized version keeps only what lies within three units."""
    rng = np.random.default_rng(0)
    member = membership(MODELS, np.arange(POOL), 0)
    noise = rng.standard_cauchy if heavy else rng.normal
    pool, population = noise(size=member.shape) + 1.5 * member, noise(size=(MODELS, 200))
    original = Signals(pool=pool, population=population)
    clipped = Signals(pool=np.clip(pool, -3, 3), population=np.clip(population, -3, 3))
    coarse = Signals(pool=np.sign(pool), population=np.sign(population) + 1e-3 * rng.normal(size=population.shape))
    signals = {"identity": original, "uniform:3": clipped, "sign": coarse}
    inputs = AttackInputs(
        targets=signals,
        shadows=signals,
        pairing=LeaveOneOut(member=member, seed=0),
        baseline="identity",
        groups=np.arange(POOL),
        task="binary",
        level=0.95,
        classes=np.arange(POOL) % 2,
    )
    return {spec: AttackJob(spec)(inputs) for spec in signals}


def test_the_original_leaks_at_least_what_its_quantized_versions_do() -> None:
    before = attacked(heavy=True)
    after = quantize_first(before, "identity", before)
    chosen = {spec: output.selection.value for spec, output in after.items()}
    assert chosen["identity"] == max(chosen.values()) > before["identity"].selection.value
    original = after["identity"]
    via = original.worst.via
    assert via == "uniform:3"
    assert original.worst == replace(before[via].worst, via=via)
    np.testing.assert_array_equal(original.leakage.influence, before[via].leakage.influence)
    np.testing.assert_array_equal(original.tables["classes/found"], before[via].tables["classes/found"])
    np.testing.assert_array_equal(original.columns["loss/none/auc"], before["identity"].columns["loss/none/auc"])
    listed = original.attacks[-1]
    assert (listed.name, listed.mode, listed.via) == (original.worst.name, original.worst.mode, via)
    assert after["sign"] is before["sign"]


def test_where_its_own_attack_is_the_strongest_nothing_changes() -> None:
    before = attacked(heavy=False)
    ordered = {spec: before[spec] for spec in ("identity", "sign")}
    assert quantize_first(ordered, "identity", ordered) == ordered


def test_an_audit_of_an_original_that_does_not_leak_names_nothing(tmp_path: Path) -> None:
    result = ql.audit(
        ql.bundled("breast_cancer"), out=tmp_path, workers=1, model="linear", models=16, epochs=1,
        optimizer="adam:1e-12", quantizers=("sign", "uniform:2"),
    )  # fmt: skip
    assert result.recommended.quantizer is None
    assert (
        result.recommended.headline
        == "Nothing to choose by: the original itself cannot be distinguished from guessing."
    )
    assert "Nothing to choose by" in (tmp_path / "privacy-card.md").read_text()
    # Every quantizer's figure pairs with the original's, whichever attack that is.
    kept = kept_worst(tmp_path, result)
    for row in result.quantizers:
        assert kept[row.spec].mean == pytest.approx(row.worst.value, abs=1e-6)
