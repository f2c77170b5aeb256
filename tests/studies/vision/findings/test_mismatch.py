"""How much of a drop is mismatch, on figures made up so that every difference is known."""

from __future__ import annotations

from collections.abc import Mapping

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


ATTACKS = (("lira-online", METRIC), ("lira-online", "auc"), ("lira-published", METRIC), ("strongest", METRIC))
"""Everything that has gaps, in the order of the table."""


def test_every_row_is_compared_with_its_own_attack_and_metric() -> None:
    leakage: dict[Key, float | Crossed] = {}
    for number, key in enumerate([*ATTACKS, ("lira-published", "auc"), ("strongest", "auc"), ("loss", METRIC)]):
        attack, metric = key
        leakage["identity", attack, "adaptive", metric] = 0.5 + 0.01 * number
        leakage["rtn:2", attack, "transfer", metric] = 0.3 + 0.01 * number
        leakage["rtn:2", attack, "adaptive", metric] = 0.32 + 0.03 * number
    leakage |= {(ALONE.spec, "lira-online", "adaptive", METRIC): 0.1}
    leakage |= {("obq:ternary?head=float", "lira-online", "adaptive", "auc"): 0.7}
    found = gaps(measured(leakage, {}, ROWS), 50)
    assert list(zip(found["attack"], found["metric"], strict=True)) == list(ATTACKS)
    assert found["original"].tolist() == pytest.approx([0.5, 0.51, 0.52, 0.53])
    assert found["share"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


PAPERS = ("adaround", "brecq", "obq")
WIDTHS = ("2", "ternary")
Three = Mapping[str, tuple[float | Crossed, float | Crossed]]
"""By method, what float and what quantized shadows find."""


def of_methods(original: float | Crossed, found: Three, width: str = "2", attack: str = "lira-online") -> pd.DataFrame:
    """Gaps of several methods at a width; rows of other widths have no figures."""
    leakage: dict[Key, float | Crossed] = {("identity", attack, "adaptive", METRIC): original}
    rows = [BASE, *(width_row(method, each) for method in (*PAPERS, "rtn") for each in WIDTHS), head_row("obq")]
    for row in rows[1:]:
        leakage[row.spec, attack, "adaptive", "auc"] = 0.7
    for method, (transfer, adaptive) in found.items():
        leakage[f"{method}:{width}", attack, "transfer", METRIC] = transfer
        leakage[f"{method}:{width}", attack, "adaptive", METRIC] = adaptive
    return gaps(measured(leakage, {}, rows), 200)


KNOWN: Three = {"adaround": (0.1, 0.2), "brecq": (0.12, 0.3), "obq": (0.2, 0.4), "rtn": (0.0, 0.9)}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("attack", ["lira-online", "lira-published", "strongest"])
def test_the_papers_methods_are_pooled(width: str, attack: str) -> None:
    found = of_methods(0.5, KNOWN, width, attack)
    (row,) = found[found["method"] == "all three"].to_dict("records")
    assert set(found["method"]) == {*KNOWN, "all three"}
    labels = {"data": "made up", "quantizer": "all three", "part": "width", "width": width, "head": "body"}
    labels |= {"attack": attack, "metric": METRIC, "reason": ""}
    assert {name: row[name] for name in labels} == labels
    figures = {"original": 0.5, "transfer": 0.14, "adaptive": 0.3, "difference": 0.16, "drop": 0.36, "share": 4 / 9}
    assert {name: row[name] for name in figures} == pytest.approx(figures)


@pytest.mark.parametrize("missing", PAPERS)
def test_without_one_of_the_three_nothing_is_pooled(missing: str) -> None:
    found = of_methods(0.5, {method: pair for method, pair in KNOWN.items() if method != missing})
    assert set(found["method"]) == set(KNOWN) - {missing}


def test_what_one_method_gains_where_another_loses_cancels_in_the_pool() -> None:
    """Intervals are of the mean over methods in every target, not of the methods apart."""
    opposite: Three = {"adaround": (figure(0.1, 0.09), 0.2), "brecq": (figure(0.1, -0.09), 0.2), "obq": (0.1, 0.2)}
    found = of_methods(0.4, opposite).set_index("method")
    for name, value in (("difference", 0.1), ("drop", 0.3), ("share", 1 / 3)):
        row = found.loc["all three", [f"{name}_low", f"{name}_high"]].tolist()
        assert row == pytest.approx([value] * 2)
    assert found.loc["adaround", "difference_high"] - found.loc["adaround", "difference_low"] > 0.1
    # Of one method alone that varies, a third of the deviation is left.
    one = of_methods(0.4, KNOWN | {"adaround": (figure(0.1, 0.09), 0.2)}).set_index("method")["difference_high"]
    arm = 2.364624 * 0.09 * np.sqrt(8 / 7) / np.sqrt(8)
    assert one["all three"] - 0.16 == pytest.approx(arm / 3, rel=1e-5)


def test_a_table_without_rows_has_its_columns() -> None:
    none = gaps(measured({("identity", "lira-online", "adaptive", METRIC): 0.3}, {}, [BASE]), 50)
    assert none.empty
    assert none.columns.tolist() == table(0.4, 0.1, 0.2).columns.tolist()


def drawn_figures(random: np.random.Generator, targets: int, examples: int) -> dict[str, np.ndarray]:
    """Tables of yes and no, [targets, examples], of which .6, .2 and .4 are yes; all share targets and examples."""
    effect = 0.1 * random.normal(size=(targets, 1)) + 0.1 * random.normal(size=examples)
    rates = {"original": 0.6, "transfer": 0.2, "adaptive": 0.4}
    return {
        name: random.random((targets, examples)) < rate + effect * size
        for (name, rate), size in zip(rates.items(), (1, 0.3, 0.6), strict=True)
    }


def crossed(table_: np.ndarray) -> Crossed:
    return Crossed(values=table_.mean(1), influence=(table_ - table_.mean(1, keepdims=True)) / table_.shape[1])


def test_the_interval_of_a_share_is_that_of_paired_draws() -> None:
    random = np.random.default_rng(0)
    tables = drawn_figures(random, TARGETS, GROUPS)
    found = {name: crossed(one) for name, one in tables.items()}
    leakage: dict[Key, float | Crossed] = {
        ("identity", "lira-online", "adaptive", METRIC): found["original"],
        ("rtn:2", "lira-online", "transfer", METRIC): found["transfer"],
        ("rtn:2", "lira-online", "adaptive", METRIC): found["adaptive"],
    }
    row = gaps(measured(leakage, {}, ROWS[:2]), 20_000).iloc[0]
    w = random.multinomial(TARGETS, np.full(TARGETS, 1 / TARGETS), size=20_000) / TARGETS
    v = random.multinomial(GROUPS, np.full(GROUPS, 1 / GROUPS), size=20_000) / GROUPS
    draws = {}
    for name, first, second in (("difference", "adaptive", "transfer"), ("drop", "original", "transfer")):
        one = tables[first].astype(float) - tables[second]
        cells = ((one - one.mean(1, keepdims=True)) / GROUPS / TARGETS) ** 2
        by_example = ((one.mean(0) - one.mean()) / GROUPS) ** 2
        left = max(0.0, by_example.sum() - cells.sum()) / by_example.sum()  # of the variance over examples
        between = (w @ one.mean(1) - one.mean()) * np.sqrt(TARGETS / (TARGETS - 1))
        draws[name] = one.mean() + between + np.sqrt(left) * (v @ one.mean(0) - one.mean())
    expected = np.quantile(draws["difference"] / draws["drop"], [0.025, 0.975])
    assert (row["share_low"], row["share_high"]) == pytest.approx(tuple(expected), abs=0.01)


def test_the_interval_of_a_share_covers_it_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(1), []
    for _ in range(300):
        found = {name: crossed(one) for name, one in drawn_figures(random, 16, 60).items()}
        leakage: dict[Key, float | Crossed] = {
            ("identity", "lira-online", "adaptive", METRIC): found["original"],
            ("rtn:2", "lira-online", "transfer", METRIC): found["transfer"],
            ("rtn:2", "lira-online", "adaptive", METRIC): found["adaptive"],
        }
        row = gaps(measured(leakage, {}, ROWS[:2]), 300).iloc[0]
        covered.append(row["share_low"] <= 0.5 <= row["share_high"])
    assert 0.9 < np.mean(covered) < 0.985


def test_gaps_of_the_tiny_study_are_differences_of_its_figures(tiny: Tiny) -> None:
    values = tiny.found.attacks.set_index(["quantizer", "attack", "mode", "metric"])["value"]
    columns = tiny.ran.attacked["digits"]
    expected = {row.spec for row in tiny.one.rows.values() if row.whole} - {"identity"}
    found = tiny.found.gaps
    # Halves of eight targets support no rate of 1%: there is no gap of the strongest attack.
    assert set(zip(found["attack"], found["metric"], strict=True)) == set(ATTACKS[:3])
    pooled = found["method"] == "all three"
    for _, rows in found.groupby(["attack", "metric"]):
        assert set(rows.loc[~pooled, "quantizer"]) == expected
        assert rows.loc[pooled, "width"].tolist() == ["2", "ternary"]
    for _, row in found.iterrows():
        specs = [row["quantizer"]]
        if row["method"] == "all three":
            specs = [tiny.one.find("width", method, row["width"]).spec for method in PAPERS]
        key = (row["attack"], row["metric"])
        per_target = {mode: np.mean([columns[spec].columns[f"{key[0]}/{mode}/{key[1]}"] for spec in specs], axis=0)
                      for mode in ("adaptive", "transfer")}  # fmt: skip
        assert row["difference"] == pytest.approx((per_target["adaptive"] - per_target["transfer"]).mean())
        original = columns["identity"].columns[f"{key[0]}/adaptive/{key[1]}"].mean()
        assert row["drop"] == pytest.approx(original - per_target["transfer"].mean())
        assert np.isnan(row["share"]) == (row["reason"] != "") == (row["drop_low"] <= 0)
        if len(specs) == 1:
            estimate = values[specs[0], key[0], "adaptive", key[1]]
            assert np.clip(row["adaptive"], 0, 1) == pytest.approx(estimate)
