from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.theory.gaps import gaps, moments
from quantleak.theory.table import row_means

tables = arrays(np.float32, st.tuples(st.integers(2, 8), st.integers(1, 9)), elements=st.floats(0, 20, width=32))


@given(tables)
def test_differences_have_the_mean_variance_and_minimum_of_their_definition(table):
    found = gaps(table)
    wide = table.astype(np.longdouble)
    differences = wide[found.competitors.numpy()] - wide[found.best]
    assert found.delta.numpy() == pytest.approx(differences.mean(1).clip(min=0).astype(float), abs=1e-12)
    assert found.variance.numpy() == pytest.approx(differences.var(1).astype(float), rel=1e-9, abs=1e-12)
    assert found.lowest.numpy() == pytest.approx(differences.min(1).astype(float))


def test_sums_over_many_examples_lose_nothing():
    random = np.random.default_rng(0)
    table = (1e4 + random.standard_normal((3, 200_000))).astype(np.float32)
    wide = table.astype(np.longdouble)
    mean, variance = moments(torch.from_numpy(table), 1).numpy()
    differences = wide - wide[1]
    assert row_means(torch.from_numpy(table)).numpy() == pytest.approx(wide.mean(1).astype(float), rel=1e-14)
    assert mean == pytest.approx(differences.mean(1).astype(float), abs=1e-13)
    assert variance == pytest.approx(differences.var(1).astype(float), rel=1e-12)


@given(tables, st.integers(0, 8), st.integers(0, 8), st.booleans())
def test_rows_that_differ_by_a_swap_of_two_losses_tie(table, one, other, wide):
    row = (table[0].astype(np.float64) + 0.1 if wide else table[0])[: table.shape[1]]
    swapped = row.copy()
    one, other = one % len(row), other % len(row)
    swapped[[one, other]] = swapped[[other, one]]
    assert moments(torch.from_numpy(np.stack([row, swapped])), 0)[0].tolist() == [0, 0]


def test_an_outlier_that_all_rows_share_changes_nothing():
    table = np.random.default_rng(1).exponential(size=(5, 1000)).astype(np.float32)
    table[:, -1] = 1e16
    differences = table.astype(np.longdouble) - table[0]
    mean, variance = moments(torch.from_numpy(table), 0).numpy()
    assert mean == pytest.approx(differences.mean(1).astype(float), rel=1e-12)
    assert variance == pytest.approx(differences.var(1).astype(float), rel=1e-12)


def test_sums_beyond_float64_have_their_mean():
    found = gaps([[1e308] * 20 + [-1e308] * 40, [0.0] * 60, [5e307] * 60])
    assert (found.best, found.competitors.tolist()) == (0, [1, 2])
    assert found.means.numpy() == pytest.approx([-1e308 / 3, 0, 5e307])
    assert found.signal_to_noise[0] == pytest.approx((1 / 3) ** 2 / (1 - (1 / 3) ** 2))


def test_differences_beyond_float64_are_refused():
    with pytest.raises(InputError, match="differ by more than float64 can hold, 1e\\+308 against -1e\\+308"):
        gaps([[-1e308] * 3, [1e308, 0.0, 0.0]])


def test_a_difference_that_is_constant_but_for_rounding_has_variance_0():
    table = np.array([[0.0] * 10, [0.1] * 10])  # whose mean comes out below 0.1
    assert gaps(table).variance.tolist() == [0.0]


def test_the_smallest_differences_are_those_of_the_definition():
    table = np.random.default_rng(2).exponential(size=(50, 41)).astype(np.float32)
    table[7, ::3] = np.inf
    found = gaps(table)
    wide = table.astype(np.float64)
    differences = wide[found.competitors.numpy()] - wide[found.best]
    np.testing.assert_array_equal(found.lowest.numpy(), differences.min(axis=1))
    assert 7 in found.competitors


@pytest.mark.parametrize("view", [lambda t: t[:, ::2], lambda t: t[:, :30], lambda t: t.T])
def test_a_view_is_measured_as_its_copy(view):
    table = view(torch.from_numpy(np.random.default_rng(3).exponential(size=(40, 60))))
    seen, copy = gaps(table), gaps(table.contiguous().clone())
    assert seen.best == copy.best
    assert torch.equal(seen.delta, copy.delta)
    assert torch.equal(moments(table, 3), moments(table.clone(), 3))
