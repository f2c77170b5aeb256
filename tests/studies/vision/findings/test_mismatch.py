"""How much of a drop is mismatch, on figures made up so that every difference is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.made_up import ALONE, BASE, GROUPS, TARGETS, Key, figure, head_row, measured, width_row
from tests.studies.vision.tiny import Tiny

from quantleak.attacks import Crossed
from quantleak.studies.vision.findings.mismatch import NO_DROP, gaps

METRIC = "tpr@0.01"
ROWS = (BASE, width_row("rtn", "2"), head_row("obq"), ALONE)


def table(
    original: float | Crossed, transfer: float | Crossed, adaptive: float | Crossed, attack: str = "lira-online"
) -> pd.DataFrame:
    """Of one quantizer: what finds how much of it, and of the original."""
    leakage: dict[Key, float | Crossed] = {
        ("identity", attack, "adaptive", METRIC): original,
        ("rtn:2", attack, "transfer", METRIC): transfer,
        ("rtn:2", attack, "adaptive", METRIC): adaptive,
        ("obq:ternary?head=float", attack, "adaptive", "auc"): 0.7,
        (ALONE.spec, attack, "transfer", METRIC): 0.1,
        (ALONE.spec, attack, "adaptive", METRIC): 0.1,
    }
    return gaps(measured(leakage, {}, ROWS), 200)


def test_known_figures_have_known_gaps() -> None:
    found = table(0.4, 0.1, 0.25)
    # Neither a row that has no rate at 1% nor one on which few attacks ran.
    assert found["quantizer"].tolist() == ["rtn:2"]
    row = found.iloc[0]
    expected = {"data": "made up", "part": "width", "method": "rtn", "width": "2", "head": "body"}
    expected |= {"attack": "lira-online", "reason": ""}
    assert {name: row[name] for name in expected} == expected
    figures = {"original": 0.4, "transfer": 0.1, "adaptive": 0.25, "difference": 0.15, "drop": 0.3, "share": 0.5}
    for name, value in figures.items():
        assert row[name] == pytest.approx(value)
    for name in ("difference", "drop", "share"):
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx((figures[name],) * 2)


@pytest.mark.parametrize(("adaptive", "share"), [(0.1, 0.0), (0.4, 1.0), (0.45, 7 / 6), (0.07, -0.1)])
def test_a_share_runs_from_nothing_to_everything_and_beyond(adaptive: float, share: float) -> None:
    assert table(0.4, 0.1, adaptive).iloc[0]["share"] == pytest.approx(share)


@pytest.mark.parametrize(
    ("original", "transfer"), [(0.1, 0.1), (0.1, 0.3), (figure(0.2, 0.3), 0.15)], ids=["none", "rise", "unsure"]
)
def test_without_a_certain_drop_there_is_a_reason_and_no_share(original: float | Crossed, transfer: float) -> None:
    row = table(original, transfer, 0.2).iloc[0]
    assert row["reason"] == NO_DROP
    assert row[["share", "share_low", "share_high"]].isna().all()
    assert row["difference"] == pytest.approx(0.2 - transfer)


def test_what_targets_share_cancels() -> None:
    row = table(figure(0.4, 0.3), figure(0.1, 0.3), figure(0.25, 0.3)).iloc[0]
    assert (row["drop_low"], row["drop_high"]) == pytest.approx((0.3, 0.3))
    assert (row["share_low"], row["share_high"]) == pytest.approx((0.5, 0.5))


def test_every_row_is_compared_with_its_own_attack() -> None:
    leakage = {
        ("identity", attack, "adaptive", METRIC): value for attack, value in (("lira-online", 0.4), ("strongest", 0.5))
    }
    leakage |= {
        ("rtn:2", attack, mode, METRIC): value
        for attack, mode, value in (
            ("lira-online", "transfer", 0.2), ("lira-online", "adaptive", 0.3),
            ("strongest", "transfer", 0.4), ("strongest", "adaptive", 0.425),
        )
    }  # fmt: skip
    leakage |= {(ALONE.spec, "lira-online", "adaptive", METRIC): 0.1}
    leakage |= {("obq:ternary?head=float", "lira-online", "adaptive", "auc"): 0.7}
    found = gaps(measured(leakage, {}, ROWS), 50).set_index("attack")
    assert found["share"].to_dict() == pytest.approx({"lira-online": 0.5, "strongest": 0.25})


def test_the_interval_of_a_share_is_that_of_a_bootstrap_by_brute_force() -> None:
    random = np.random.default_rng(0)
    tables = {name: random.random((TARGETS, GROUPS)) < rate for name, rate in (("o", 0.7), ("t", 0.2), ("a", 0.45))}
    crossed = {
        name: Crossed(values=each.mean(1), influence=(each - each.mean(1, keepdims=True)) / GROUPS)
        for name, each in tables.items()
    }
    leakage: dict[Key, float | Crossed] = {
        ("identity", "lira-online", "adaptive", METRIC): crossed["o"],
        ("rtn:2", "lira-online", "transfer", METRIC): crossed["t"],
        ("rtn:2", "lira-online", "adaptive", METRIC): crossed["a"],
    }
    row = gaps(measured(leakage, {}, ROWS[:2]), 20_000).iloc[0]
    w = random.multinomial(TARGETS, np.full(TARGETS, 1 / TARGETS), size=20_000) / TARGETS
    v = random.multinomial(GROUPS, np.full(GROUPS, 1 / GROUPS), size=20_000) / GROUPS
    before, away, near = (np.einsum("rt,ti,ri->r", w, tables[name], v, optimize=True) for name in "ota")
    expected = np.quantile((near - away) / (before - away), [0.025, 0.975])
    assert (row["share_low"], row["share_high"]) == pytest.approx(tuple(expected), abs=0.015)


def test_gaps_of_the_tiny_study_are_differences_of_its_figures(tiny: Tiny) -> None:
    values = tiny.found.attacks[tiny.found.attacks["metric"] == METRIC].set_index(["quantizer", "attack", "mode"])
    columns = tiny.ran.attacked["digits"]
    expected = {row.spec for row in tiny.one.rows.values() if row.whole} - {"identity"}
    # Halves of eight targets support no rate of 1%: there is no gap of the strongest attack.
    assert set(tiny.found.gaps["attack"]) == {"lira-online"}
    assert set(tiny.found.gaps["quantizer"]) == expected
    for _, row in tiny.found.gaps.iterrows():
        per_target = {mode: columns[row["quantizer"]].columns[f"lira-online/{mode}/{METRIC}"]
                      for mode in ("adaptive", "transfer")}  # fmt: skip
        assert row["difference"] == pytest.approx((per_target["adaptive"] - per_target["transfer"]).mean())
        assert row["drop"] == pytest.approx(row["original"] - row["transfer"])
        assert np.isnan(row["share"]) == (row["reason"] != "") == (row["drop_low"] <= 0)
        estimate = values.loc[(row["quantizer"], "lira-online", "adaptive"), "value"]
        assert np.clip(row["adaptive"], 0, 1) == pytest.approx(estimate)
