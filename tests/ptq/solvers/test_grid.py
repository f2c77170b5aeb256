"""Invariants G1 to G8 of grids, and the search against a literal one."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from quantleak.ptq.solvers import Grid
from quantleak.ptq.solvers.grid import GridKind, RangeKind

SPANS: tuple[RangeKind, ...] = ("search", "minmax")
KINDS: tuple[GridKind, ...] = ("affine", "symmetric")


@st.composite
def weights(draw: st.DrawFn) -> Tensor:
    seed = draw(st.integers(0, 10_000))
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    spread, shift = draw(st.sampled_from((1e-3, 1.0, 50.0))), draw(st.sampled_from((0.0, -2.0, 3.0)))
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(1, rows, columns, generator=random) * spread + shift * spread
    if draw(st.booleans()):
        values[:, 0] = draw(st.sampled_from((0.0, 0.7, -0.3)))
    return values


levels = st.sampled_from((2, 3, 4, 5, 8, 16, 256))
spans = st.sampled_from(SPANS)


@given(weights(), levels, spans, st.booleans())
def test_g1_g2_values_are_scaled_whole_numbers_and_no_more_than_the_levels(
    weight: Tensor, count: int, span: RangeKind, with_zero: bool
) -> None:
    grid = Grid.search(weight, count, span=span, with_zero=with_zero)
    codes, values = grid.codes(weight), grid.nearest(weight)
    assert codes.min() >= 0
    assert codes.max() <= count - 1
    assert (grid.scale > 0).all()
    expected = grid.scale.double()[..., None] * (codes - grid.zero[..., None]).double()
    torch.testing.assert_close(values.double(), expected, rtol=1e-6, atol=0)
    assert all(len(row.unique()) <= count for row in values[0])


@given(weights(), levels, spans)
def test_g3_quantizing_again_changes_nothing(weight: Tensor, count: int, span: RangeKind) -> None:
    grid = Grid.search(weight, count, span=span)
    assert torch.equal(grid.nearest(grid.nearest(weight)), grid.nearest(weight))


@given(weights(), levels, st.sampled_from(KINDS))
def test_g4_the_searched_range_has_no_larger_error_than_the_whole_one(
    weight: Tensor, count: int, kind: GridKind
) -> None:
    if kind == "symmetric" and count < 3:
        return
    error = [
        (Grid.search(weight, count, kind=kind, span=span).nearest(weight) - weight).double().abs().pow(2.4).sum(-1)
        for span in SPANS
    ]
    assert (error[0] <= error[1] * (1 + 1e-5) + 1e-30).all()


@given(weights(), levels, spans, st.sampled_from((0.5, 4.0, 1024.0)))
def test_g5_the_grid_of_scaled_weights_is_the_scaled_grid(
    weight: Tensor, count: int, span: RangeKind, factor: float
) -> None:
    # A power of two, so that no rounding differs; below the smallest scale nothing is promised.
    one, two = Grid.search(weight, count, span=span), Grid.search(weight * factor, count, span=span)
    alive = weight.abs().amax(-1) > 1e-4
    assert torch.equal(two.scale[alive], (one.scale * factor)[alive])
    assert torch.equal(one.codes(weight)[alive], two.codes(weight * factor)[alive])


@given(weights(), levels, spans, st.randoms(use_true_random=False))
def test_g6_the_order_of_channels_does_not_matter(weight: Tensor, count: int, span: RangeKind, random: Random) -> None:
    order = list(range(weight.shape[1]))
    random.shuffle(order)
    whole = Grid.search(weight, count, span=span).nearest(weight)
    assert torch.equal(Grid.search(weight[:, order], count, span=span).nearest(weight[:, order]), whole[:, order])


@given(weights(), levels, spans)
def test_g7_zero_is_on_the_grid_and_a_zero_channel_stays_zero(weight: Tensor, count: int, span: RangeKind) -> None:
    grid = Grid.search(weight, count, span=span)
    assert (grid.nearest(torch.zeros_like(weight)) == 0).all()
    zero = torch.zeros(1, 2, 5)
    assert torch.equal(Grid.search(zero, count, span=span).nearest(zero), zero)


@given(weights(), levels, spans)
def test_g8_inside_the_range_the_error_is_at_most_half_a_step(weight: Tensor, count: int, span: RangeKind) -> None:
    grid = Grid.search(weight, count, span=span)
    scale, zero = grid.scale[..., None].double(), grid.zero[..., None]
    inside = (weight >= -zero * scale) & (weight <= (count - 1 - zero) * scale)
    error = (grid.nearest(weight) - weight).double().abs()
    assert (error <= scale / 2 * (1 + 1e-5) + 1e-6 * weight.abs().max())[inside].all()


@pytest.mark.parametrize("value", [0.7, -0.3])
@pytest.mark.parametrize("with_zero", [True, False])
@pytest.mark.parametrize("span", SPANS)
def test_a_constant_channel_keeps_its_value_with_minmax(value: float, with_zero: bool, span: RangeKind) -> None:
    weight = torch.full((1, 1, 6), value)
    for count in (2, 3, 16):
        made = Grid.search(weight, count, span=span, with_zero=with_zero).nearest(weight)
        torch.testing.assert_close(made, weight, rtol=1e-6, atol=0)


def test_the_search_is_the_literal_one() -> None:
    """The recipe in float64 numpy, one row at a time."""
    random = np.random.default_rng(3)
    for count in (3, 4, 16):
        row = random.standard_t(4, 200).astype(np.float32)
        low, high = min(0, row.min()), max(0, row.max())
        zero = np.rint(-low / (high - low) * (count - 1))
        best, scale = math.inf, 0.0
        for step in range(80):
            s = (1 - step / 100) * (high - low) / (count - 1)
            values = s * (np.clip(np.rint(row / s) + zero, 0, count - 1) - zero)
            cost = (np.abs(values - row) ** 2.4).sum()
            if cost < best:
                best, scale = cost, s
        grid = Grid.search(torch.from_numpy(row)[None, None], count)
        assert grid.zero.item() == zero
        assert grid.scale.item() == pytest.approx(scale, rel=1e-6)


def test_ternary_both_ways() -> None:
    weight = torch.tensor([[[-1.0, -0.2, 0.1, 0.8], [0.1, 0.2, 0.9, 1.0], [-1.0, -0.9, -0.1, 0.0]]])
    affine = Grid.search(weight, 3, span="minmax")
    assert affine.zero.tolist() == [[1, 0, 2]]  # {-s, 0, s}, {0, s, 2s}, {-2s, -s, 0}
    torch.testing.assert_close(affine.scale, torch.tensor([[0.9, 0.5, 0.5]]))
    symmetric = Grid.search(weight, 3, kind="symmetric", span="minmax")
    assert symmetric.zero.tolist() == [[1, 1, 1]]
    torch.testing.assert_close(symmetric.scale, torch.tensor([[1.0, 1.0, 1.0]]))


def test_raw_ranges_leave_zero_off_the_grid() -> None:
    weight = torch.tensor([[[1.0, 1.2, 1.5, 2.0]]])
    grid = Grid.search(weight, 4, span="minmax", with_zero=False)
    assert grid.zero.item() == -3
    torch.testing.assert_close(grid.nearest(weight), torch.tensor([[[1.0, 4 / 3, 4 / 3, 2.0]]]), atol=1e-6, rtol=0)


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    weight = torch.randn(1, 700, 3000)
    whole = Grid.search(weight, 16)
    alone = Grid.search(weight[:, 511:513], 16)
    assert torch.equal(whole.scale[:, 511:513], alone.scale)
