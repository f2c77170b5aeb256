"""Variances of crossed designs by double loops over clusters, influences against known variances, limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.influence import auc_influence, share_influence, tpr_influence
from quantleak.attacks.evaluation.table import score_table


def by_clusters(influence, cluster):
    """Oracle: sum over pairs of cells that share a cluster of the products of their influences."""
    cells = list(np.ndindex(*influence.shape))
    total = sum(influence[a] * influence[b] for a in cells for b in cells if cluster(a) == cluster(b))
    return total / len(influence) ** 2


def test_the_variance_is_that_of_two_way_clusters():
    rng = np.random.default_rng(0)
    influence = rng.normal(size=(4, 6)) + rng.normal(size=6)
    crossed = Crossed(values=rng.normal(size=4), influence=influence)
    between, shared = crossed.variances()
    assert between == pytest.approx(crossed.values.var(ddof=1) / 4)
    pairs = by_clusters(influence, lambda cell: cell[1]) - by_clusters(influence, lambda cell: cell)
    assert shared == pytest.approx(max(0.0, pairs))
    arm = np.sqrt(stats.t.ppf(0.95, 3) ** 2 * between + stats.t.ppf(0.95, 4) ** 2 * shared)
    found = crossed.estimate(0.9)
    assert (found.low, found.high) == pytest.approx((crossed.mean - arm, crossed.mean + arm))


def test_groups_are_one_cluster():
    rng = np.random.default_rng(1)
    influence, groups = rng.normal(size=(3, 8)), np.array([0, 0, 1, 1, 2, 2, 2, 3])
    crossed = Crossed.of(np.zeros(3), influence, groups)
    pairs = by_clusters(influence, lambda cell: groups[cell[1]])
    pairs -= by_clusters(influence, lambda cell: (cell[0], groups[cell[1]]))
    assert crossed.variances()[1] == pytest.approx(max(0.0, pairs))


def test_the_variance_of_one_auc_is_delongs():
    rng = np.random.default_rng(1)
    member = rng.random(150) < 0.3
    scores = np.round(rng.normal(size=150) + member, 1)
    wins = np.array([[(a > b) + 0.5 * (a == b) for b in scores[~member]] for a in scores[member]])
    delong = wins.mean(axis=1).var(ddof=1) / member.sum() + wins.mean(axis=0).var(ddof=1) / (~member).sum()
    influence = auc_influence(score_table(scores, member))
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    assert np.square(influence).sum() == pytest.approx(delong)


@pytest.mark.parametrize("step", [0.0, 0.5])
def test_influences_of_a_tpr_have_the_variance_that_it_has(step):
    # One example's score is partly the same for all targets, and so is its influence: both variances are needed.
    rng, means, estimated = np.random.default_rng(2), [], []
    for _ in range(250):
        member = rng.random((12, 300)).argsort(axis=0) < 6
        scores = 1.5 * member + 0.6 * rng.normal(size=member.shape) + 0.8 * rng.normal(size=300)
        table = score_table(np.round(scores / step) * step if step else scores, member)
        crossed = Crossed.of(table.tpr_at_exactly(0.1), tpr_influence(table, 0.1), table.groups)
        means.append(crossed.mean)
        estimated.append(crossed.variances())
    between, shared = np.mean(estimated, axis=0)
    assert between + shared == pytest.approx(np.var(means), rel=0.3)
    assert shared > 0.3 * between


def test_a_share_has_the_influences_of_a_mean():
    hits, among = np.array([[True, False, True, True]]), np.array([[True, True, True, False]])
    share = 2 / 3
    expected = np.array([[1 - share, -share, 1 - share, 0]]) / 3 * np.sqrt(3 / 2)
    np.testing.assert_allclose(share_influence(hits, among), expected)


def test_limits_stay_within_zero_and_one_and_lean_to_the_longer_side():
    crossed = Crossed(values=np.array([0.0, 0.01, 0.03, 0.12]), influence=np.zeros((4, 10)))
    found, plain = crossed.share(0.95), crossed.estimate(0.95)
    assert plain.low < 0
    assert found.low == 0.0
    assert found.high > plain.high
    certain = Crossed(values=np.ones(3), influence=np.zeros((3, 10)))
    assert certain.share(0.95, [(0.8, 1.0)]).low == 0.8


def test_an_arm_on_log_odds_is_at_most_one_and_a_half_times_as_long():
    # Two targets: the t quantile is 12.7, and the scale of log odds would reach from 0 to 1.
    crossed = Crossed(values=np.array([0.01, 0.012]), influence=np.zeros((2, 10)))
    found, arm = crossed.share(0.95), crossed.arm(0.95)
    assert found.high == pytest.approx(found.value + 1.5 * arm)


def test_a_bias_that_may_remain_lengthens_the_arm_as_one_more_deviation():
    rng = np.random.default_rng(3)
    crossed = Crossed(values=rng.normal(0.5, 0.01, 8), influence=0.001 * rng.normal(size=(8, 50)))
    expected = np.hypot(crossed.arm(0.95), 1.959963985 * 0.02)
    assert crossed.arm(0.95, doubt=0.02) == pytest.approx(expected)


def test_too_few_examples_have_a_reason_instead_of_an_interval():
    found = Crossed(values=np.array([0.5]), influence=np.array([[0.1, -0.1]])).estimate(0.95)
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "3 examples" in found.reason
