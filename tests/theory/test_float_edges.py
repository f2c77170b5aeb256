"""Losses at the edges of float64, against rational arithmetic that shares no code and rounds nothing."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.theory import (
    cramer_rate,
    erm_certificate,
    erm_mis,
    fidelity,
    finite_rate,
    lambda_kk,
    privacy_rate,
    rates,
)
from quantleak.theory.exact import Gibbs
from quantleak.theory.gaps import gaps


def exactly(table: np.ndarray) -> tuple[int, float]:
    """The best row, the first of equals, and r_Q, as fractions."""
    rows = [[Fraction(float(x)) for x in row] for row in table]
    totals = [sum(row) for row in rows]
    best = totals.index(min(totals))
    ratios = []
    for row in rows:
        if row == rows[best]:
            continue
        d = [a - b for a, b in zip(row, rows[best], strict=True)]
        n, total = len(d), sum(d)
        spread = n * sum(x * x for x in d) - total**2
        ratios.append(math.inf if spread == 0 else total**2 / spread)
    return best, float(min(ratios)) / 2 if ratios else math.nan


def noisy(seed: int, offset: float, noise: float, shape: tuple[int, int]) -> np.ndarray:
    return offset + noise * np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("seed", range(6))
def test_small_differences_on_large_losses_have_the_right_best(seed):
    table = noisy(seed, 1e8, 1e-6, (4, 20_000))
    best, rate = exactly(table)
    found = privacy_rate(table)
    assert found.best == best
    assert found.value == pytest.approx(rate, rel=1e-9)


@given(
    seed=st.integers(0, 1000),
    offset=st.sampled_from([0.0, 1.0, 1e8, 1e15, -1e12]),
    scale=st.sampled_from([1e-300, 1e-160, 1e-8, 1.0, 1e8, 1e150, 1e160, 1e290]),
)
@settings(max_examples=60)
def test_any_offset_and_scale(seed, offset, scale):
    table = noisy(seed, offset, 1.0, (5, 30)) * scale
    best, rate = exactly(table)
    found = rates(table)
    assert found.r_q.best == best
    assert found.r_q.value == pytest.approx(rate, rel=1e-9)
    ordinary = np.array([[float(Fraction(x) / Fraction(scale)) for x in row] for row in table.tolist()])
    if abs(offset) < 1e9:
        # `ordinary` rounds losses of 1e8 by 1e-8, and two rows may differ by a hundredth of their noise only.
        assert found.cramer.value == pytest.approx(cramer_rate(ordinary).value, rel=1e-4)


def test_a_loss_that_underflows_beside_larger_ones_decides_a_tie():
    table = np.full((3, 5), 2.58e120)
    table[0, 0], table[1, 1] = 0.0, -6.6e-252
    assert privacy_rate(table).best == exactly(table)[0] == 1
    assert privacy_rate(table[[1, 0, 2]]).best == 0


@given(table=arrays(np.float64, (4, 5), elements=st.floats(-1e300, 1e300)))
@settings(max_examples=100)
def test_any_table_of_floats(table):
    best, rate = exactly(table)
    found = privacy_rate(table)
    assert math.isnan(rate) or found.best == best
    assert found.value == pytest.approx(rate, rel=1e-6, abs=1e-290, nan_ok=True)
    assert math.isnan(found.value) == (found.reason is not None and found.reason.startswith("undefined"))


@given(
    table=arrays(np.float64, (3, 6), elements=st.floats(-4, 4)), seed=st.integers(0, 99), offset=st.sampled_from([0, 9])
)
@settings(max_examples=60)
def test_the_same_losses_in_another_order_tie_exactly(table, seed, offset):
    table = table + offset
    table[1] = np.random.default_rng(seed).permutation(table[0])
    table[2] += 20
    distinct = (table[0] != table[1]).any()
    assert privacy_rate(table).best == 0
    assert (privacy_rate(table).value == 0) == distinct
    assert (cramer_rate(table).value == 0) == distinct
    if distinct:
        assert erm_certificate(table, 1000).value == 0


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e160, 1e300])
def test_what_has_no_unit_does_not_depend_on_it(scale):
    table = np.abs(noisy(3, 1.0, 0.2, (6, 40)))
    table[0] -= 0.1
    scaled = table * scale
    for function in (privacy_rate, cramer_rate):
        assert function(scaled).value == pytest.approx(function(table).value, rel=1e-9)
        assert function(scaled).k_star == function(table).k_star
    assert finite_rate(scaled, 50) == pytest.approx(finite_rate(table, 50), rel=1e-9)
    assert float(erm_certificate(scaled, 90)) == pytest.approx(float(erm_certificate(table, 90)), rel=1e-9)
    assert erm_certificate(scaled, 90).start == erm_certificate(table, 90).start
    assert erm_mis(scaled[:, :3], [0.2, 0.3, 0.5], 4).value == pytest.approx(
        erm_mis(table[:, :3], [0.2, 0.3, 0.5], 4).value, abs=1e-12
    )


def test_what_has_a_unit_is_0_or_infinite_only_beyond_float64():
    table = np.array([[0.0, 0.0], [1.0, 3.0], [2.0, 2.0]])
    assert lambda_kk(table * 1e160).tolist() == [math.inf, 0.0]
    assert lambda_kk(table * 1e-300).tolist() == [0.0, 0.0]
    assert gaps(table * 1e160).delta.tolist() == [2e160, 2e160]
    assert lambda_kk(table * 1e100).tolist() == pytest.approx([1e200, 0.0])


def test_rows_of_very_different_size_in_one_table():
    best, tiny, huge = np.zeros(4), np.array([1.0, 2.0, 3.0, 4.0]) * 1e-200, np.array([5.0, 1.0, 2.0, 1.0]) * 1e170
    expected = exactly(np.stack([best, tiny, huge]))[1]
    assert privacy_rate([best, tiny, huge]).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("offset", "scale"), [(0, 1e-300), (0, 1e160), (0, 1e300), (1e8, 1e-6), (1e8, 1.0)])
def test_fidelity_is_the_correlation_of_the_fractions(offset, scale):
    one, two = offset + scale * np.random.default_rng(5).normal(size=(2, 50))
    first, second = ([Fraction(x) for x in values.tolist()] for values in (one, two))
    first, second = ([x - sum(values) / 50 for x in values] for values in (first, second))
    product = sum(a * b for a, b in zip(first, second, strict=True))
    expected = float(product / sum(a * a for a in first)) * math.sqrt(
        sum(a * a for a in first) / sum(b * b for b in second)
    )
    assert float(fidelity(torch.from_numpy(one), torch.from_numpy(two))) == pytest.approx(expected, rel=1e-9)
    assert math.isnan(float(fidelity(np.full(50, 0.1), two)))


def test_a_gibbs_learner_does_not_see_what_all_losses_share():
    # With 2^40 added every entry is exact, but no sum of five is.
    table, counts = np.array([[1.0, 4095.0], [4093.0, 5.0]]) / 4096, np.array([[3, 2], [0, 5]])
    plain = Gibbs(losses=table, inverse_temperature=100.0).law(counts)
    shifted = Gibbs(losses=table + 2.0**40, inverse_temperature=100.0).law(counts)
    np.testing.assert_allclose(shifted, plain, rtol=1e-12)


def test_a_row_of_large_losses_is_not_taken_for_infinite():
    found = privacy_rate([[1e308] * 20, [1.1e308] * 19 + [1e308]])
    assert found.best == 0
    assert found.value == pytest.approx(0.5 * 0.95 / 0.05, rel=1e-9)
