from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quantleak.studies.synthetic.jobs.exact import PROBLEMS, problems
from quantleak.studies.synthetic.jobs.exact_quantizers import (
    QUANTIZERS,
    quantizers,
    ranking,
    separable,
    unquantized,
    world,
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return problems()


@pytest.fixture(scope="module")
def worlds() -> pd.DataFrame:
    return quantizers(draws=2, sizes=(6, 30))


def test_every_problem_has_its_rows(table: pd.DataFrame) -> None:
    assert table.groupby("problem", sort=False)["n"].agg(tuple).to_dict() == {
        one.name: (5, 10, 20, 40) for one in PROBLEMS
    }
    assert (table["certificate"] <= table["high"]).all()
    assert (table["loss_bound"].dropna() >= table["mis"][table["loss_bound"].notna()] - 1e-12).all()
    assert set(table["method"][table["problem"] != "close call"]) == {"enumeration"}
    sampled = table[table["method"] == "sampling"]
    assert sampled["n"].tolist() == [20, 40]
    assert (sampled["high"] - sampled["low"]).between(0.001, 0.05).all()


def test_the_second_order_score_misleads(table: pd.DataFrame) -> None:
    at_20 = table[table["n"] == 20].set_index("problem")
    win, loss = at_20.loc["rare win"], at_20.loc["rare loss"]
    assert win["r_q"] > loss["r_q"]
    assert win["cramer"] < loss["cramer"]
    assert win["slope"] < loss["slope"]
    assert win["leak"] > 3 * loss["leak"]


def test_competitors_of_equal_rate_leak_more_together(table: pd.DataFrame) -> None:
    coin, four = (table[table["problem"] == name].set_index("n") for name in ("coin", "four competitors"))
    assert coin["r_q"].tolist() == pytest.approx(four["r_q"].tolist())
    assert coin["cramer"].tolist() == pytest.approx(four["cramer"].tolist())
    np.testing.assert_allclose(four["leak"] / coin["leak"], 2, rtol=0.01)


def test_worlds_cannot_be_separated_and_weights_have_size_one() -> None:
    assert (np.abs(unquantized()).max(1) == 1).all()
    for draw in range(5):
        here = world(draw)
        assert sum(here.probabilities) == 1
        # Some example is on the wrong side of every classifier.
        assert ((unquantized() @ here.signed.T).min(1) < 0).all()
    assert separable(np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))


def test_every_quantizer_is_ranked(worlds: pd.DataFrame) -> None:
    assert set(worlds.groupby(["draw", "n"])["quantizer"].agg(tuple)) == {QUANTIZERS}
    elements = dict(zip(worlds["quantizer"], worlds["elements"], strict=True))
    # Sign: the corners. One weight of two zeroed: the ends of the axes, and the corners, whose weights are equal.
    assert (elements["sign"], elements["ternary:0.5"]) == (4, 8)
    assert worlds[["mis", "mis_quantized"]].gt(0).all(axis=None)
    np.testing.assert_allclose(worlds["leak"], 1 - worlds["mis"], atol=1e-12)


def test_the_ranking_is_spearmans(worlds: pd.DataFrame) -> None:
    found = ranking(worlds).set_index(["n", "truth", "score"])
    for n in (6, 30):
        each = [
            stats.spearmanr(one["cramer"], -one["leak"]).statistic
            for _, one in worlds[worlds["n"] == n].groupby("draw")
        ]
        row = found.loc[(n, "leak", "cramer")]
        assert row["spearman"] == pytest.approx(np.mean(each))
        assert (row["low"], row["high"]) == pytest.approx((min(each), max(each)))
    constant = worlds.assign(r_q=math.inf)
    assert (ranking(constant).query("score == 'r_q'")["spearman"] == 0).all()
