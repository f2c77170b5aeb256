"""Intervals that stay open where nothing varies: against SciPy, their defining equation, and simulated mixtures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quantleak.attacks import evaluate, roc
from quantleak.attacks.evaluation.trials import auc_limits, one_target_tpr, wilson


@pytest.mark.parametrize(("hits", "trials"), [(0, 12), (3, 20), (20, 20), (7, 300)])
def test_wilson_is_scipys(hits, trials):
    expected = stats.binomtest(hits, trials).proportion_ci(0.9, method="wilson")
    assert wilson(hits / trials, trials, 0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.3, 0.96, 1.0])
def test_limits_of_an_auc_solve_the_score_equation(value):
    m, n, scale = 20, 30, 0.5
    for limit in auc_limits(value, m, n, scale, 0.95):
        if limit in (0.0, 1.0):
            assert limit == value
            continue
        mean = (m + n) / 2
        spread = 1 + (mean - 1) * ((1 - limit) / (2 - limit) + limit / (1 + limit))
        variance = scale * limit * (1 - limit) / (m * n) * spread
        assert (value - limit) ** 2 == pytest.approx(stats.norm.ppf(0.975) ** 2 * variance)
    assert auc_limits(0.5, 10, 10, 0.0, 0.95) == (0.5, 0.5)


def test_separated_scores_are_not_certain_and_so_few_have_no_interval():
    separated = evaluate(np.arange(20.0), np.arange(20) >= 10).auc
    assert separated.value == separated.high == 1.0
    assert separated.low == pytest.approx(0.8, abs=0.001)
    few = evaluate(np.arange(4.0), np.arange(4) >= 2).auc
    assert (few.value, few.low, few.high) == (1.0, None, None)
    assert few.reason == "an interval needs 5 members and 5 non-members per target, the fewest are 2 and 2"


@pytest.mark.parametrize(("members", "shift"), [(10, 2.5), (10, 0.0), (20, 2.5)])
def test_the_auc_of_few_examples_is_covered(members, shift):
    # DeLong's interval covers .61 and .82 of the two with a shift of 2.5.
    rng, member = np.random.default_rng(0), np.arange(2 * members) < members
    truth = stats.norm.cdf(shift / np.sqrt(2))
    found = [evaluate(shift * member + rng.normal(size=member.size), member, fprs=()).auc for _ in range(400)]
    assert np.mean([auc.low <= truth <= auc.high for auc in found]) > 0.92


def test_the_interval_of_one_target_is_a_mixture_over_where_its_threshold_lies():
    rng = np.random.default_rng(3)
    member = np.arange(900) < 400
    scores = member + rng.normal(size=900)
    low, high = one_target_tpr(roc(scores, member), 0.02, 0.95)
    outside = np.sort(scores[~member])[::-1]
    above = rng.binomial(500, 0.02, size=40_000)
    hits = np.array([0, *((scores[member] > threshold).sum() for threshold in outside)])
    fewer, more = hits[above], hits[above + 1]
    lows = np.where(fewer > 0, rng.beta(np.maximum(fewer, 1), 400 - fewer + 1), 0.0)
    assert low == pytest.approx(np.quantile(lows, 0.025), abs=0.004)
    assert high == pytest.approx(np.quantile(rng.beta(more + 1, 400 - more), 0.975), abs=0.006)


def test_the_tpr_of_one_target_is_covered_where_a_fixed_threshold_is_not():
    rng, member, right, fixed = np.random.default_rng(4), np.arange(1000) < 500, [], []
    truth = stats.norm.cdf(1 + stats.norm.ppf(0.01))
    for _ in range(200):
        scores = member + rng.normal(size=1000)
        found = evaluate(scores, member, fprs=(0.01,)).tpr[0.01]
        right.append(found.low <= truth <= found.high)
        hits = round(500 * roc(scores, member).tpr_at(0.01))
        limits = stats.binomtest(hits, 500).proportion_ci(method="exact")
        fixed.append(limits.low <= truth <= limits.high)
    assert np.mean(right) > 0.93
    assert np.mean(fixed) < 0.75
