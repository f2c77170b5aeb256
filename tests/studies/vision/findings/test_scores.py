"""Scores that rank round-to-nearest, against SciPy and against means and choices made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_curve
from tests.studies.vision.tiny import DATA, Tiny

from quantleak.auditing.block import BlockOutput
from quantleak.studies.vision.findings import Measured
from quantleak.studies.vision.findings.scores import SIGNS, scores

SPECS = ["rtn:2", "rtn:ternary", "rtn:6"]


def block_of(tiny: Tiny) -> BlockOutput:
    return tiny.ran.trained[DATA].quantized.block


def test_round_to_nearest_is_scored_at_every_width(tiny: Tiny) -> None:
    assert sorted(tiny.found.scores["quantizer"]) == sorted(SPECS)
    table = tiny.found.scores.set_index("quantizer")
    assert table.loc[SPECS, "width"].tolist() == ["2", "ternary", "6"]


@pytest.mark.parametrize("spec", SPECS)
def test_scores_are_means_over_models(tiny: Tiny, spec: str) -> None:
    row = tiny.found.scores.set_index("quantizer").loc[spec]
    block, place = block_of(tiny), list(tiny.plan.procedures).index(spec)
    rates = block.rates[spec]
    for name in ("r_q", "cramer"):
        assert row[name] == pytest.approx(np.nanmean([model[name].value for model in rates]), nan_ok=True)
    assert row["elements"] == pytest.approx(np.mean([model["r_q"].elements for model in rates]))
    assert row["z"] == pytest.approx(np.nanmedian([model["r_q"].z for model in rates]), nan_ok=True)
    assert row["fidelity"] == pytest.approx(block.fidelity[:, place].mean())
    cleared = []
    for signal, inside in zip(block.pool[:, place].mean(-1), tiny.plan.member, strict=True):
        fpr, tpr, _ = roc_curve(inside, signal, drop_intermediate=False)
        cleared.append(1 - fpr[np.searchsorted(tpr, 0.99)])
    assert row["true_negatives"] == pytest.approx(np.mean(cleared), abs=0.01)


@pytest.mark.parametrize("spec", SPECS)
def test_security_is_that_of_the_attack_that_the_other_half_chose(tiny: Tiny, spec: str) -> None:
    columns = {
        key.removesuffix("/balanced_accuracy"): values
        for key, values in tiny.ran.attacked[DATA][spec].columns.items()
        if key.endswith("/balanced_accuracy") and not key.startswith("strongest")
    }
    assert len(columns) > 20  # every attack in every mode
    # Only what an attacker with quantized shadows, or without any, can do.
    columns = {key: one for key, one in columns.items() if not key.endswith(("/transfer", "/recalibrated"))}
    assert {key.split("/")[1] for key in columns} == {"adaptive", "none"}
    halves = []
    for choosing, reporting in ((0, 1), (1, 0)):
        best = max(columns, key=lambda key: columns[key][choosing::2].mean())
        halves.append((best.replace("/", ", "), columns[best][reporting::2].mean()))
    row = tiny.found.scores.set_index("quantizer").loc[spec]
    assert row["mis"] == pytest.approx(min(1, 2 * (1 - np.mean([accuracy for _, accuracy in halves]))))
    assert row["strongest"] == " / ".join(dict.fromkeys(name for name, _ in halves))
    assert row["mis_low"] < row["mis_high"] <= 1


def test_agreement_is_spearmans_with_the_sign_of_the_score(tiny: Tiny) -> None:
    table, agreement = tiny.found.scores, tiny.found.agreement.set_index("score")["spearman"]
    assert set(agreement.index) == set(SIGNS)
    for name in ("r_q", "cramer", "fidelity", "elements", "true_negatives"):
        privacy = table[name] if name in ("r_q", "cramer") else -table[name]
        if privacy.nunique() == 1:
            assert np.isnan(agreement[name])
        else:
            assert agreement[name] == pytest.approx(stats.spearmanr(privacy, table["mis"]).statistic)
    limits = tiny.found.agreement[["low", "spearman", "high"]].to_numpy()
    np.testing.assert_array_equal(np.isnan(limits).any(1), np.isnan(limits).all(1))
    limits = limits[~np.isnan(limits[:, 1])]
    assert len(limits)
    assert (np.abs(limits) <= 1 + 1e-12).all()
    assert (limits[:, 0] <= limits[:, 2]).all()


def with_known(tiny: Tiny, order: list[str], fidelity: float | None, **more: np.ndarray) -> Measured:
    """The tiny study, made to have attacks as weak as `order` says, fidelity falling with it, and one quantized model.

    Every attack finds a tenth less in each quantizer than in the one before, in every target alike; `more` are online
    LiRA's accuracies by mode.
    """
    one, block = tiny.one, block_of(tiny)
    outputs = dict(one.outputs)
    table = block.fidelity.copy()
    for rank, spec in enumerate(order):
        found = {"loss/none/balanced_accuracy": np.full(8, 0.9 - 0.1 * rank)}
        found |= {f"lira-online/{mode}/balanced_accuracy": values for mode, values in more.items()}
        outputs[spec] = replace(one.outputs[spec], columns=found)
        table[:, one.place(spec)] = 1 - 0.1 * rank if fidelity is None else fidelity
    fleet = replace(one.trained.quantized, block=replace(block, fidelity=table))
    return replace(one, outputs=outputs, trained=replace(one.trained, quantized=fleet))


def test_a_score_that_follows_the_attack_agrees_with_it_and_one_that_is_constant_with_nothing(tiny: Tiny) -> None:
    found, agreement = scores(with_known(tiny, ["rtn:6", "rtn:2", "rtn:ternary"], None), 50)
    assert found.set_index("quantizer")["mis"].loc[SPECS].tolist() == pytest.approx([0.4, 0.6, 0.2])
    rows = agreement.set_index("score")[["spearman", "low", "high"]]
    assert rows.loc["fidelity"].tolist() == pytest.approx([1, 1, 1])
    reverse = scores(with_known(tiny, ["rtn:6", "rtn:2", "rtn:ternary"][::-1], None), 50)[1]
    assert reverse.set_index("score").loc["fidelity", "spearman"] == pytest.approx(1)
    flat = scores(with_known(tiny, SPECS, 0.5), 50)[1].set_index("score")[["spearman", "low", "high"]]
    assert flat.loc["fidelity"].isna().all()


@pytest.mark.parametrize(
    ("mode", "chosen"),
    [("adaptive", True), ("transfer", False), ("recalibrated", False)],
)
def test_security_is_against_quantized_shadows(tiny: Tiny, mode: str, chosen: bool) -> None:
    found = scores(with_known(tiny, ["rtn:6", "rtn:2", "rtn:ternary"], None, **{mode: np.full(8, 0.95)}), 50)[0]
    expected = [0.1] * 3 if chosen else [0.4, 0.6, 0.2]
    assert found.set_index("quantizer")["mis"].loc[SPECS].tolist() == pytest.approx(expected)
    assert set(found["strongest"]) == {f"lira-online, {mode}" if chosen else "loss, none"}
