from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, special, stats

from quantleak.theory import cramer_rate, privacy_rate
from quantleak.theory.cramer import Exponents, chernoff_exponent
from quantleak.theory.gaps import gaps

values = st.floats(-3, 9, width=32).map(lambda x: round(x, 2))
tables = arrays(
    np.float64, st.tuples(st.integers(2, 7), st.integers(2, 8)), elements=st.floats(0, 9).map(lambda x: round(x, 2))
)


def exponent_by_scipy(d: np.ndarray) -> float:
    """Oracle: the definition, minimised by SciPy's bounded scalar minimiser over a bracket found on a grid."""
    if d.mean() <= 0:
        return 0.0
    if d.min() >= 0:
        zeros = float((d == 0).mean())
        return -math.log(zeros) if zeros else math.inf

    def psi(s: float) -> float:
        return float(special.logsumexp(-s * d)) - math.log(len(d))

    high = 1e-6
    while psi(2 * high) < psi(high):
        high *= 2
    found = optimize.minimize_scalar(psi, bounds=(0, 4 * high), method="bounded", options={"xatol": 1e-12 * high})
    return max(0.0, -float(found.fun))


@given(d=arrays(np.float64, st.integers(1, 12), elements=values))
def test_an_exponent_is_its_definition(d):
    ours = float(chernoff_exponent(torch.from_numpy(d)[None])[0])
    assert ours == pytest.approx(exponent_by_scipy(d), rel=1e-7, abs=1e-9)


@given(table=tables)
@settings(max_examples=40)
def test_the_rate_is_the_smallest_exponent(table):
    rows = np.unique(table, axis=0)
    rows = rows[np.argsort(rows.mean(1), kind="stable")]
    ours = cramer_rate(table)
    if len(rows) < 2:
        assert math.isnan(ours.value)
        return
    assert ours.value == pytest.approx(min(exponent_by_scipy(row - rows[0]) for row in rows[1:]), rel=1e-6, abs=1e-8)


@given(table=arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(2, 12)), elements=st.floats(0, 30, width=32)))
@settings(max_examples=60)
def test_pruning_changes_nothing_and_the_bounds_are_bounds(table):
    measured = gaps(table)
    everything = Exponents(measured)
    before = everything.lower.clone()
    everything.solve(torch.arange(len(before)))
    assert bool((before <= everything.lower * (1 + 1e-9) + 1e-12).all())
    if len(before):
        assert cramer_rate(table).value == pytest.approx(float(everything.lower.min()), rel=1e-12, abs=1e-15)


def test_pruning_prunes():
    weights = np.cumsum(np.random.default_rng(0).normal(size=(300, 20)) * 0.05, axis=0)
    points = np.random.default_rng(1).normal(size=(500, 20))
    exponents = Exponents(gaps(np.logaddexp(0, -weights @ points.T)))
    exponents.smallest()
    assert int(exponents.solved.sum()) < 100


def quantiles(distribution, count=200_001):
    """Equally likely points of a distribution: an exact finite version of it."""
    return distribution.ppf((np.arange(count) + 0.5) / count)


@pytest.mark.parametrize(("delta", "sigma"), [(0.1, 1.0), (0.5, 1.0), (1.0, 2.0)])
def test_gaussian_differences_give_the_privacy_score(delta, sigma):
    d = quantiles(stats.norm(delta, sigma))
    table = np.stack([np.zeros_like(d), d])
    assert cramer_rate(table).value == pytest.approx(delta**2 / (2 * sigma**2), rel=1e-3)
    assert cramer_rate(table).value == pytest.approx(privacy_rate(table).value, rel=1e-3)


@pytest.mark.parametrize("plus", [501, 600, 900, 999])
def test_differences_of_plus_and_minus_one(plus):
    p = plus / 1000
    d = np.where(np.arange(1000) < plus, 1.0, -1.0)
    expected = -math.log(2 * math.sqrt(p * (1 - p)))
    assert cramer_rate([np.zeros(1000), d]).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("c", [0.2, 0.5, 0.9])
def test_shifted_exponentials(c):
    # E - c with E exponential of mean 1: E exp(-s (E - c)) = e^(sc) / (1 + s), smallest at s = 1/c - 1.
    d = quantiles(stats.expon()) - c
    assert cramer_rate([np.zeros_like(d), d]).value == pytest.approx(c - 1 - math.log(c), rel=1e-3)


@given(zeros=st.integers(1, 9), positive=st.integers(1, 9))
def test_no_negative_difference(zeros, positive):
    d = np.array([0.0] * zeros + [2.0] * positive)
    assert cramer_rate([np.zeros_like(d), d]).value == pytest.approx(-math.log(zeros / len(d)))


def test_edges():
    assert cramer_rate([[0.0, 0.0], [1.0, 2.0]]).value == math.inf
    assert cramer_rate([[0.0, 0.0], [1.0, 2.0]]).reason is not None
    assert cramer_rate([[0.0, 2.0], [2.0, 0.0]]).value == 0
    assert math.isnan(cramer_rate([[0.0, 2.0]]).value)


def test_infinite_losses_are_the_limit_of_large_ones():
    best, competitor = np.zeros(6), np.array([np.inf, 1.0, 1.0, 1.0, -0.5, np.inf])
    limit = cramer_rate([best, competitor]).value
    assert cramer_rate([best, np.where(np.isinf(competitor), 1e4, competitor)]).value == pytest.approx(limit, rel=1e-9)
    # A best element whose losses are below its competitor's only where these are infinite.
    competitor = np.array([np.inf, -1.0, -1.0, 0.5])
    assert cramer_rate([best[:4], competitor]).value == pytest.approx(-math.log(3 / 4))
    assert cramer_rate([best[:2], np.full(2, np.inf)]).value == math.inf


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e3, 1e30])
def test_scale_does_not_matter(scale):
    table = np.random.default_rng(1).exponential(size=(20, 50))
    assert cramer_rate(table * scale).value == pytest.approx(cramer_rate(table).value, rel=1e-9)


@pytest.mark.parametrize("rare", [1e-3, 1e-6])
def test_a_rare_and_small_negative_difference(rare):
    """The minimum lies far from the Gaussian start: at s where exp(-s) and rare * exp(s * rare) balance."""
    d = np.ones(1000)
    d[0] = -rare
    assert cramer_rate([np.zeros(1000), d]).value == pytest.approx(exponent_by_scipy(d), rel=1e-8)
