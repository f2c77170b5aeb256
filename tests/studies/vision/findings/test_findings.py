"""Tables of the tiny study against what its jobs left, counted anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.studies.vision.tiny import DATA, Tiny

from quantleak.models import network
from quantleak.studies.vision.claims import CLAIMS
from quantleak.studies.vision.findings import STOPPED, find
from quantleak.studies.vision.jobs import SMALLER

SCORED = {
    "r_q": "r_q-ranks", "cramer": "cramer-ranks-as-r_q", "fidelity": "fidelity-ranks-as-r_q",
    "elements": "count-ranks-as-r_q", "true_negatives": "true-negatives-rank",
}  # fmt: skip
"""By score, the claim about it; but for the true negatives' that claim is about r_Q too."""
CONTROLS = ["stopped after 1", "stopped after 2", SMALLER]


def test_every_row_and_control_has_an_accuracy(tiny: Tiny) -> None:
    table, one = tiny.found.utility.set_index("quantizer"), tiny.one
    assert list(table.index) == [*tiny.plan.procedures, *CONTROLS]
    trained = tiny.ran.trained[DATA]
    right = {spec: trained.quantized.block.test[:, place] for place, spec in enumerate(tiny.plan.procedures)}
    right |= {name: trained.quantized.stopped_test[:, place] for place, name in enumerate(CONTROLS[:2])}
    right[SMALLER] = trained.smaller.test[:, 0]
    for name, each in right.items():
        per_model = each.mean(1)
        row = table.loc[name]
        assert row["accuracy"] == pytest.approx(per_model.mean())
        assert row["spread"] == pytest.approx(per_model.std(ddof=1))
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
        assert row["lost"] == pytest.approx((right["identity"].mean(1) - per_model).mean())
    assert table.loc["identity", ["lost", "lost_low", "lost_high"]].tolist() == [0, 0, 0]
    assert set(table.loc[CONTROLS, "part"]) == {STOPPED, SMALLER}
    assert [one.rows[name].part for name in tiny.plan.procedures] == table["part"].tolist()[: len(tiny.plan.procedures)]


def numbers(spec: str) -> int:
    """Of a network: all parameters and the statistics of norms; the number of batches that a norm saw is none."""
    module = network(spec, (1, 8, 8), 10).module(seed=0)
    return sum(tensor.numel() for tensor in module.state_dict().values() if tensor.is_floating_point())


def test_sizes_on_disk(tiny: Tiny) -> None:
    table = tiny.found.utility.set_index("quantizer")
    large, small = numbers("conv:6,8"), numbers("conv:2")
    for name in ("identity", "stopped after 1", "noise:obq:ternary"):
        assert table.loc[name, "bits"] == 32
        assert table.loc[name, "kilobytes"] == pytest.approx(4 * large / 1000)
    assert table.loc[SMALLER, "kilobytes"] == pytest.approx(4 * small / 1000)
    quantized = table.loc["rtn:2"]
    assert quantized["kilobytes"] == pytest.approx(quantized["bits"] * large / 8000)
    assert 2 < quantized["bits"] < table.loc["rtn:6", "bits"] < 32


def test_fidelity_is_the_correlation_with_the_original(tiny: Tiny) -> None:
    table = tiny.found.utility.set_index("quantizer")["fidelity"]
    assert table["identity"] == pytest.approx(1)
    assert table["rtn:6"] > table["rtn:2"]
    assert table[CONTROLS].isna().all()


def test_attacks_have_a_row_for_every_figure(tiny: Tiny) -> None:
    table = tiny.found.attacks
    outputs = tiny.ran.attacked[DATA]
    assert len(table) == sum(len(output.figures) for output in outputs.values())
    keys = ["quantizer", "attack", "mode", "metric"]
    assert not table.duplicated(keys).any()
    by_key = table.set_index(keys)
    for name, output in outputs.items():
        for key, values in output.columns.items():
            attack, mode, metric = key.split("/")
            if metric == "auc":
                row = by_key.loc[(name, attack, mode, metric)]
                assert row["value"] == pytest.approx(values.mean())
                assert row["low"] <= row["value"] <= row["high"]
                assert row["spread"] == pytest.approx(values.std(ddof=1))
    tenth = table[table["metric"] == "tpr@0.001"]
    assert tenth["value"].isna().all()
    assert tenth["reason"].str.contains("FPR 0.001 needs").all()
    assert (table.loc[table["attack"] != "strongest", "chosen"] == "").all()


def test_one_half_of_the_originals_puts_examples_into_bins_and_the_other_is_shown(tiny: Tiny) -> None:
    random = np.random.default_rng(0)
    # Of up to four member targets in a half; some of everything, from nobody to everybody, and some in no half at all.
    trained = random.random((2, 520)) < 0.9
    shares = {name: {mode: np.where(trained, random.integers(5, size=(2, 520)) / 4, np.nan) for mode in output.examples}
              for name, output in tiny.ran.attacked[DATA].items()}  # fmt: skip
    attacked = {name: replace(output, examples=shares[name]) for name, output in tiny.ran.attacked[DATA].items()}
    table = find(tiny.study, replace(tiny.ran, attacked={DATA: attacked})).examples
    even, odd = shares["identity"]["adaptive"]
    known = trained[0] & trained[1]
    bins = {(n / 5, (n + 1) / 5): known & (even == n / 4) for n in range(5)}
    assert set(table["quantizer"]) == {row.spec for row in tiny.one.rows.values() if row.whole} - {"identity"}
    assert {"adaptive", "transfer"} <= set(table["mode"])
    for (quantizer, mode), rows in table.groupby(["quantizer", "mode"]):
        assert len(rows) == 5
        for row, ((least, most), inside) in zip(rows.to_dict("records"), bins.items(), strict=True):
            assert (row["least"], row["most"]) == pytest.approx((least, most))
            assert row["examples"] == inside.sum()
            assert row["chosen"] == even[inside][0]
            assert row["before"] == pytest.approx(odd[inside].mean())
            assert row["after"] == pytest.approx(shares[quantizer][mode][1][inside].mean())


def test_bins_in_which_no_example_lies_are_left_out(tiny: Tiny) -> None:
    even, odd = tiny.ran.attacked[DATA]["identity"].examples["adaptive"]
    known = ~np.isnan(even) & ~np.isnan(odd)
    # Who is trained on what is known to the plan.
    member = tiny.plan.member
    np.testing.assert_array_equal(known, member[::2].any(0) & member[1::2].any(0))
    table = tiny.found.examples
    some = table[(table["quantizer"] == "rtn:2") & (table["mode"] == "adaptive")]
    assert (some["examples"] > 0).all()
    assert some["examples"].sum() == known.sum()
    assert len(some) == len(np.unique(np.minimum(even[known] // 0.2, 4)))


def test_where_no_rate_is_supported_no_example_is_found(tiny: Tiny) -> None:
    attacked = {name: replace(output, examples={}) for name, output in tiny.ran.attacked[DATA].items()}
    assert find(tiny.study, replace(tiny.ran, attacked={DATA: attacked})).examples.empty


def test_quantizers_that_read_members_are_named(tiny: Tiny) -> None:
    readers = {row.spec for row in tiny.one.rows.values() if row.method != "rtn" and row.part in ("width", "head")}
    assert readers <= set(tiny.found.calibrated["quantizer"])
    assert not tiny.found.calibrated["quantizer"].str.startswith("rtn").any()
    for _, row in tiny.found.calibrated.iterrows():
        found = tiny.ran.attacked[DATA][row["quantizer"]].calibrated[row["mode"]]
        assert row["difference"] == pytest.approx(row["found"] - row["others"])
        assert row["auc_high"] == found["auc"].high


def test_the_toy_is_a_table(tiny: Tiny) -> None:
    table = tiny.found.toy.set_index(["scores", "attack"])["auc"]
    for name, aucs in tiny.ran.toy.items():
        for attack, auc in aucs.items():
            assert table[name, attack] == auc
    assert len(table) == 16


def test_figures_of_the_original_stand_for_every_mode_and_nothing_else_does(tiny: Tiny) -> None:
    one = tiny.one
    original = tiny.ran.attacked[DATA]["identity"].columns["lira-online/adaptive/auc"]
    for mode in ("adaptive", "transfer"):
        found = one.leakage("identity", "lira-online", mode, "auc")
        assert found is not None
        np.testing.assert_array_equal(found.values, original)
        assert found.influence.dtype == np.float64
    assert one.leakage(SMALLER, "lira-online", "transfer", "auc") is None
    assert one.leakage("identity", "lira-online", "adaptive", "tpr@0.001") is None


def test_rows_are_found_by_what_they_are(tiny: Tiny) -> None:
    one = tiny.one
    noise = one.find("noise", "obq", "ternary", "0.5")
    found = [one.find("width", "obq", "2"), noise, one.find("width", "obq", "4")]
    assert [row and row.spec for row in found] == ["obq:2", "noise:0.5:obq:ternary", None]
    assert one.find("noise", "obq", "ternary") is None


def test_studies_of_several_data_sets_keep_them_apart(tiny: Tiny) -> None:
    twice = replace(
        tiny.ran,
        plans={"a": tiny.ran.plans[DATA], "b": tiny.ran.plans[DATA]},
        trained={"a": tiny.ran.trained[DATA], "b": tiny.ran.trained[DATA]},
        attacked={"a": tiny.ran.attacked[DATA], "b": tiny.ran.attacked[DATA]},
    )
    found = find(tiny.study, twice)
    for name in ("attacks", "utility", "gaps", "controls", "examples", "calibrated", "scores", "agreement"):
        both, alone = getattr(found, name), getattr(tiny.found, name)
        assert both["data"].tolist() == ["a"] * len(alone) + ["b"] * len(alone)
        assert both.columns.tolist() == alone.columns.tolist()


def test_a_pool_too_small_for_any_rate_leaves_tables_empty_and_not_the_study_broken(tiny: Tiny) -> None:
    attacked = {
        name: replace(output, influence={key: one for key, one in output.influence.items() if "tpr" not in key})
        for name, output in tiny.ran.attacked[DATA].items()
    }
    found = find(tiny.study, replace(tiny.ran, attacked={DATA: attacked}))
    assert set(found.gaps["metric"]) == {"auc"}
    assert found.gaps.columns.tolist() == tiny.found.gaps.columns.tolist()
    assert found.controls.empty
    assert found.controls.columns.tolist() == tiny.found.controls.columns.tolist()
    # What needs neither a rate nor 4 bits.
    judged = {claim.id for claim in CLAIMS if claim.judge(found).holds is not None}
    # Of so few models it may be uncertain that the originals leak at all, and the head is then not judged.
    heads = {"head-alone-hides", "head-alone-does-not-hide"}
    # Nor is a score that is the same for all quantizers.
    table = found.scores
    ranked = {name for name in SCORED if table[name].nunique() > 1}
    assert "fidelity" in ranked
    needed = {name: {name} if name == "true_negatives" else {name, "r_q"} for name in ranked}
    scored = {SCORED[name] for name in ranked if needed[name] <= ranked}
    assert judged - heads == scored | {"more-accurate-than-smaller", "toy-float-shadows-fail", "toy-restored"}
    assert len(found.utility) == len(tiny.found.utility)
