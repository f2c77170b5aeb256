"""Perceptrons of the study: their tables against the definitions, their agreement against SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quantleak.studies.synthetic import Synthetic, Tables, verdicts
from quantleak.studies.synthetic.findings import Findings
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.perceptron import PerceptronJob
from quantleak.studies.synthetic.perceptrons import perceptrons

STUDY = Synthetic(
    modes=(4, 6, 8), sigmas=(2.0,), dimension=6, examples=40, large_validation=1000, block=4,
    perceptron_models=8, perceptron_followed=5, perceptron_epochs=6, perceptron_hidden=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    return PerceptronJob(STUDY, STUDY.of_perceptrons[0])()[0]


def test_they_are_trained_on_the_middle_number_of_modes_or_left_out() -> None:
    assert [d.modes for d in STUDY.of_perceptrons] == [6]
    assert replace(STUDY, perceptron=False).of_perceptrons == []


def test_what_is_kept(arrays: dict[str, np.ndarray]) -> None:
    sizes = arrays["sizes"].tolist()
    assert sizes == [300, 1000]
    for name in ("r_q", "cramer", "z"):
        assert arrays[name].shape == (5, 8, 2)
    assert arrays["fidelity"].shape == arrays["true_negatives"].shape == (8, 8)
    assert ((arrays["elements"] >= 1) & (arrays["elements"] <= 6)).all()
    attacks = {key.partition("|")[0] for key in arrays if key.startswith("attack/")}
    assert attacks == {f"attack/{spec}" for spec in ("identity", *QUANTIZED)}
    # z = sqrt(N) delta / sigma, and r_Q half its square per example.
    np.testing.assert_allclose(arrays["z"] ** 2, 2 * arrays["r_q"] * np.array(sizes), rtol=1e-6)


def test_it_is_a_function_of_its_settings(arrays: dict[str, np.ndarray]) -> None:
    again = PerceptronJob(STUDY, STUDY.of_perceptrons[0])()[0]
    for name, values in arrays.items():
        np.testing.assert_array_equal(again[name], values)


def table(agree: float) -> dict[str, pd.DataFrame]:
    """Made-up tables: attacks find less from quantizer to quantizer, r_Q follows that or its reverse."""
    place = np.arange(8)
    rows = [
        {"k_modes": 6, "sigma": 2.0, "model": model, "quantizer": spec, "n_validation": size}
        | {"r_q": 1 + (agree if size == 100_000 else -1) * p, "cramer": 1 + p, "z": 3.0}
        for size in (300, 100_000) for model in range(2) for p, spec in enumerate(QUANTIZED)
    ]  # fmt: skip
    scores = [
        {"k_modes": 6, "sigma": 2.0, "quantizer": spec, "score": name, "value": value}
        for name, values in (("fidelity", -place), ("elements", 0 * place), ("true_negatives", place))
        for spec, value in zip(QUANTIZED, values, strict=True)
    ]
    attacks = [
        {"k_modes": 6, "sigma": 2.0, "quantizer": spec, "fleet": "perceptrons", "attack": "loss/none", "model": model}
        | {"accuracy": 0.9 - 0.02 * p}
        for p, spec in enumerate(QUANTIZED) for model in range(4)
    ]  # fmt: skip
    return {"rates": pd.DataFrame(rows), "scores": pd.DataFrame(scores), "attacks": pd.DataFrame(attacks)}


def test_agreement_is_spearmans_and_equal_scores_rank_nothing() -> None:
    found = perceptrons(STUDY, table(1.0))["agreement"].set_index(["score", "n_validation"])["spearman"]
    expected = stats.spearmanr(np.arange(8), np.arange(8)).statistic
    assert found["r_q", 100_000] == pytest.approx(expected)
    assert found["r_q", 300] == pytest.approx(-1)
    assert found["cramer", 300] == pytest.approx(1)
    by_score = perceptrons(STUDY, table(1.0))["agreement"].set_index("score")["spearman"]
    assert by_score[["fidelity", "elements", "true_negatives"]].tolist() == pytest.approx([1, 0, -1])


def found_of(study: Synthetic, agree: float) -> Findings:
    """As much of the findings as these claims read."""
    made, tables = object.__new__(Findings), object.__new__(Tables)
    object.__setattr__(tables, "perceptron", table(agree))
    found = {"study": study, "tables": tables, "perceptron": perceptrons(study, table(agree))}
    for name, value in found.items():
        object.__setattr__(made, name, value)
    return made


@pytest.mark.parametrize(("agree", "holds"), [(1.0, True), (-1.0, False)])
def test_claims_are_judged_at_the_largest_n(agree: float, holds: bool) -> None:
    study = replace(STUDY, large_validation=100_000)

    found = found_of(study, agree)
    assert verdicts.perceptrons_at("r_q", 0.81)(found).holds == holds
    assert verdicts.reversed_at_small_n(found).holds
    assert verdicts.perceptrons_resolved(found).holds
    assert verdicts.perceptrons_at_least_as("cramer", "r_q")(found).holds
    assert verdicts.perceptrons_at_least_as("elements", "r_q")(found).holds != holds
    assert not verdicts.perceptrons_at("true_negatives", 0.81)(found).holds
    assert verdicts.perceptrons_at("r_q", 0.81)(found_of(STUDY, agree)).holds is None
