from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantleak.errors import InputError
from quantleak.theory import lambda_kk, privacy_rate, rates

losses = st.floats(0, 20, width=32)
tables = arrays(np.float32, st.tuples(st.integers(2, 8), st.integers(2, 9)), elements=losses)
coarse = arrays(np.float32, st.tuples(st.integers(1, 7), st.integers(1, 5)), elements=st.integers(0, 2).map(float))


def algorithm_1(table: np.ndarray) -> float:
    """Algorithm 1 of the paper, literally: sort by mean, two loops over elements and examples, no cancellation."""
    rows = [[float(x) for x in row] for row in table]
    rows.sort(key=lambda row: math.fsum(row) / len(row))
    n = len(rows[0])
    mean = [math.fsum(row) / n for row in rows]
    delta = [m - mean[0] for m in mean]
    sigma2 = 0.0
    for k in range(1, len(rows)):
        differences = [rows[k][i] - rows[0][i] for i in range(n)]
        centre = math.fsum(differences) / n
        variance = math.fsum((d - centre) ** 2 for d in differences) / n
        sigma2 = max(sigma2, (delta[1] / delta[k]) ** 2 * variance)
    return delta[1] ** 2 / (2 * sigma2)


def well_posed(table: np.ndarray) -> bool:
    """No ties in the mean and no constant difference: then Algorithm 1 can be evaluated, with room for rounding."""
    mean = np.sort(table.astype(float).mean(1))
    best = table[table.astype(float).mean(1).argmin()].astype(float)
    spread = (table.astype(float) - best).std(1)
    return np.diff(mean).min() > 1e-4 and np.sort(spread)[1] > 1e-3


@given(table=tables, double=st.booleans())
def test_it_is_algorithm_1(table, double):
    assume(well_posed(table))
    ours = privacy_rate(table.astype(np.float64) if double else torch.from_numpy(table))
    assert ours.value == pytest.approx(algorithm_1(table), rel=1e-9, abs=1e-9)
    assert ours.z == pytest.approx(math.sqrt(2 * table.shape[1] * ours.value))
    assert ours.n_validation == table.shape[1]


@pytest.mark.parametrize("shape", [(2, 3000), (700, 50), (3, 70000)])
def test_large_tables_in_chunks(shape):
    table = np.random.default_rng(0).exponential(size=shape).astype(np.float32)
    assert privacy_rate(table).value == pytest.approx(algorithm_1(table), rel=1e-9)


@given(table=coarse, repeat=st.data())
@settings(max_examples=50)
def test_duplicates_count_once(table, repeat):
    rows = repeat.draw(st.lists(st.integers(0, len(table) - 1), max_size=6))
    once, more = privacy_rate(table), privacy_rate(np.concatenate([table, table[rows]]))
    assert more == once or (math.isnan(once.value) and math.isnan(more.value))
    assert once.elements == more.elements == len({row.tobytes() for row in table})


def by_definition(table: np.ndarray) -> float:
    """r_Q over distinct rows in rational-like arithmetic (small integers): ties and constants by their definition."""
    rows = [list(map(float, row)) for row in np.unique(table, axis=0)]
    if len(rows) < 2 or len(rows[0]) < 2:
        return math.nan
    rows.sort(key=sum)
    ratios = []
    for row in rows[1:]:
        d = [a - b for a, b in zip(row, rows[0], strict=True)]
        n, total, squares = len(d), sum(d), sum(x * x for x in d)
        spread = n * squares - total**2
        ratios.append(0.0 if total == 0 else math.inf if spread == 0 else total**2 / spread)
    return min(ratios) / 2


@given(table=coarse)
def test_ties_and_constant_differences(table):
    ours = privacy_rate(table)
    assert ours.value == pytest.approx(by_definition(table), rel=1e-12, nan_ok=True)
    if math.isnan(ours.value):
        one = "one validation example" if ours.elements > 1 else "fewer than two distinct elements"
        assert str(ours.reason).startswith(f"undefined: {one}")
    elif math.isinf(ours.value):
        assert ours.reason is not None
        assert ours.reason.startswith("unbounded")
        assert ours.k_star is None
    else:
        assert ours.reason is None


def test_best_and_closest_competitor_are_rows_of_the_input():
    ours = privacy_rate([[9.0, 3.0, 0.0], [1.0, 0.0, 2.0], [1.0, 0.0, 2.0], [1.0, 1.0, 2.5], [4.0, 0.0, 1.0]])
    assert (ours.best, ours.k_star, ours.elements) == (1, 4, 4)
    assert not ours.resolved


def test_no_elements_at_all():
    ours = privacy_rate(torch.zeros(0, 3))
    assert math.isnan(float(ours))
    assert ours.reason == "undefined: no element has a finite mean loss"
    assert ours.elements == 0


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_infinite_losses_are_the_limit_of_large_ones(share):
    best = np.array([0.1, 0.2, 0.3, 0.4])
    other = np.array([0.1, 0.9, 0.5, 0.6])
    other[: int(4 * share)] = np.inf
    growing = [privacy_rate([best, np.where(np.isinf(other), large, other)]).value for large in (1e3, 1e6, 1e9)]
    ours = privacy_rate([best, other])
    assert ours.value == share / (1 - share) / 2
    assert abs(np.diff([*growing, ours.value])).tolist() == sorted(abs(np.diff([*growing, ours.value])), reverse=True)
    assert growing[-1] == pytest.approx(ours.value, rel=1e-6)


def test_only_infinite_elements():
    ours = privacy_rate([[np.inf, 0.0], [np.inf, 1.0]])
    assert math.isnan(ours.value)
    assert ours.best is None


def test_an_element_infinite_everywhere_is_no_competitor():
    assert privacy_rate([[0.0, 1.0], [np.inf, np.inf]]).value == math.inf


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_scale_and_shift_do_not_matter(scale):
    table = np.random.default_rng(1).exponential(size=(20, 50))
    assert privacy_rate(table * scale).value == pytest.approx(privacy_rate(table).value, rel=1e-9)


def test_a_small_gap_on_a_large_loss_keeps_its_digits():
    table = np.array([[1000.0, 1001.0, 1002.0, 1003.0], [1000.0, 1001.0, 1002.0, 1003.0009765625]])
    assert privacy_rate(table).value == pytest.approx(1 / 6, rel=1e-9)  # a difference of 1 in 4: (1/4)^2 / (2 * 3/16)


def test_a_constant_difference_is_recognised_whatever_its_mean_rounds_to():
    base = np.random.default_rng(0).integers(0, 100, 997) / 8
    assert privacy_rate([base, base + 0.125]).value == math.inf
    best = np.zeros(997)
    assert privacy_rate([best, best + 0.1]).value == math.inf


@given(table=tables)
@settings(max_examples=40)
def test_the_diagnostic_explains_the_rate(table):
    assume(well_posed(table))
    diagnostic = lambda_kk(table)
    mean = np.sort(table.astype(float).mean(1))
    assert len(diagnostic) == len(table) - 1
    assert (mean[1] - mean[0]) ** 2 / (2 * float(diagnostic.max())) == pytest.approx(algorithm_1(table), rel=1e-8)


def test_the_diagnostic_of_ties_and_of_one_element():
    assert lambda_kk([[1.0, 1.0], [2.0, 0.0], [4.0, 2.0]]).tolist() == [1, 0]
    assert lambda_kk([[1.0, 1.0]]).tolist() == []


def test_rates_keep_what_the_table_held():
    found = rates([[3.0, 3.0], [0.0, 1.0], [2.0, 4.0], [0.0, 1.0]])
    assert found.means.tolist() == [0.5, 3, 3]
    assert found.variances.tolist() == [0.25, 0.25]
    assert found.certificate_start is None


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_is_refused_with_its_place(bad, dtype):
    table = np.ones((3, 4), dtype)
    table[1, 2] = bad
    with pytest.raises(InputError, match="for element 1 on validation example 2"):
        privacy_rate(table)


@given(shape=array_shapes(min_dims=0, max_dims=3).filter(lambda shape: len(shape) != 2))
def test_only_tables_are_taken(shape):
    with pytest.raises(InputError, match=r"table \[elements, validation examples\]"):
        privacy_rate(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.zeros((3, 0)), np.zeros((2, 2), complex)])
def test_tables_without_examples_or_with_complex_losses(bad):
    with pytest.raises(InputError, match="real numbers"):
        privacy_rate(bad)


def test_text_is_refused():
    with pytest.raises(InputError, match="must be real numbers"):
        privacy_rate([["a", "b"]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_other_dtypes_are_converted(dtype):
    assert privacy_rate(torch.tensor([[0, 1], [1, 1], [1, 4]], dtype=dtype)).value == 0.5


def test_a_read_only_array_is_taken_without_a_warning():
    table = np.array([[0.0, 1.0], [1.0, 1.0]])
    table.flags.writeable = False
    assert privacy_rate(table).value == 0.5
