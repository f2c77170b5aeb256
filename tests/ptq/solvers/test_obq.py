"""Invariants O1 to O9 of OBQ: costs, restricted inverses, orders, dead inputs, the brute-force optimum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from quantleak.errors import InputError
from quantleak.ptq.solvers import Gram, Grid, compensated, obq
from quantleak.ptq.solvers.greedy import downdate, move_last, take_column
from quantleak.ptq.solvers.obq import Order

ORDERS: tuple[Order, ...] = ("columns", "diagonal", "greedy")


def layer(rows: int, columns: int, seed: int = 0, groups: int = 1) -> tuple[Tensor, Tensor]:
    """Weights, and a well-conditioned Hessian of correlated inputs."""
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(groups, columns, columns, generator=random, dtype=torch.float64)
    data = mix @ torch.randn(groups, columns, 8 * columns, generator=random, dtype=torch.float64)
    weight = torch.randn(groups, rows, columns, generator=random, dtype=torch.float64)
    return weight, 2 * data @ data.mT / (8 * columns)


def quadratic(weight: Tensor, values: Tensor, hessian: Tensor) -> Tensor:
    error = values.double() - weight
    return 0.5 * ((error @ hessian) * error).sum(-1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("rows", "columns", "groups"), [(6, 20, 1), (3, 9, 4), (1, 1, 1), (1, 300, 1), (5, 1, 2)])
def test_o1_the_steps_add_up_to_the_error(order: Order, rows: int, columns: int, groups: int) -> None:
    weight, hessian = layer(rows, columns, groups=groups)
    grid = Grid.search(weight, 4)
    # The values that the solver subtracts: a scale of float32 in float64.
    found = obq(weight, hessian, grid, order=order, damping=0.0)
    values = grid.scale.double()[..., None] * (found.codes - grid.zero[..., None])
    torch.testing.assert_close(found.loss, quadratic(weight, values, hessian), rtol=1e-6, atol=1e-9)
    assert found.dead == 0


def test_o2_a_downdate_inverts_the_rest() -> None:
    _, hessian = layer(1, 12)
    matrix = hessian[0].numpy()
    inverse, names = np.linalg.inv(matrix).copy(), list(range(12))
    column = np.empty(12)
    random = np.random.default_rng(1)
    for count in range(12, 1, -1):
        place = int(random.integers(count))
        pivot = inverse[place, place]
        take_column(inverse, column, place, count)
        move_last(inverse, place, count - 1)
        names[place], column[place] = names[count - 1], column[count - 1]
        downdate(inverse, column, count - 1, pivot)
        rest = names[: count - 1]
        expected = np.linalg.inv(matrix[np.ix_(rest, rest)])
        np.testing.assert_allclose(np.tril(inverse[: count - 1, : count - 1]), np.tril(expected), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("order", ORDERS)
def test_o3_of_independent_inputs_it_rounds_to_nearest(order: Order) -> None:
    weight, _ = layer(8, 15)
    hessian = torch.diag_embed(torch.rand(1, 15, dtype=torch.float64) + 0.1)
    grid = Grid.search(weight, 8)
    assert torch.equal(obq(weight, hessian, grid, order=order).codes, grid.codes(weight))


@pytest.mark.parametrize("order", ORDERS)
def test_o4_the_scale_of_the_hessian_does_not_matter(order: Order) -> None:
    weight, hessian = layer(8, 15)
    grid = Grid.search(weight, 8)
    codes = [obq(weight, hessian * factor, grid, order=order).codes for factor in (1.0, 1024.0)]
    assert torch.equal(*codes)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("levels", [2, 3, 4, 8, 16])
def test_o5_over_many_rows_its_error_is_below_rounding_to_nearest(order: Order, levels: int) -> None:
    weight, hessian = layer(64, 30)
    grid = Grid.search(weight, levels)
    found = obq(weight, hessian, grid, order=order, damping=0.001)
    ours = quadratic(weight, grid.values(found.codes), hessian).sum()
    share = 1.0 if levels == 2 else 0.9
    assert ours < share * quadratic(weight, grid.nearest(weight), hessian).sum()


@pytest.mark.parametrize("order", ORDERS)
def test_o6_rows_are_quantized_by_themselves(order: Order) -> None:
    weight, hessian = layer(9, 140)
    grid = Grid.search(weight, 4)
    whole = obq(weight, hessian, grid, order=order).codes
    for start, stop in ((0, 1), (1, 4), (4, 9)):
        part = Grid(4, grid.scale[:, start:stop], grid.zero[:, start:stop])
        assert torch.equal(obq(weight[:, start:stop], hessian, part, order=order).codes, whole[:, start:stop])


@pytest.mark.parametrize("order", ORDERS)
def test_o8_a_dead_input_gets_zero_and_the_rest_is_as_without_it(order: Order) -> None:
    weight, hessian = layer(6, 14)
    alive = [i for i in range(14) if i not in (3, 8)]
    hessian[:, [3, 8]] = 0
    hessian[:, :, [3, 8]] = 0
    grid = Grid.search(weight, 8)
    found = obq(weight, hessian, grid, order=order, damping=0.0)
    without = obq(weight[..., alive], hessian[:, alive][..., alive], grid, order=order, damping=0.0)
    assert found.dead == 2
    assert torch.equal(found.codes[..., alive], without.codes)
    assert (grid.values(found.codes)[..., [3, 8]] == 0).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(5))
def test_o9_it_is_never_better_than_the_best_of_all_codes(order: Order, seed: int) -> None:
    weight, hessian = layer(3, 5, seed)
    grid = Grid.search(weight, 3)
    every = torch.tensor(list(itertools.product(range(3), repeat=5)), dtype=torch.int32)
    best = torch.full((1, 3), torch.inf, dtype=torch.float64)
    for codes in every:
        values = grid.values(codes.expand(1, 3, 5))
        best = torch.minimum(best, quadratic(weight, values, hessian))
    found = obq(weight, hessian, grid, order=order, damping=0.0)
    ours = quadratic(weight, grid.values(found.codes), hessian)
    assert (ours >= best - 1e-9).all()
    assert ours.sum() < 6 * best.sum()


def test_the_greedy_order_is_the_algorithm_as_published() -> None:
    """Algorithm 3 of arXiv 2208.11580 in plain numpy, with whole matrices and the rule for outliers."""
    weight, hessian = layer(5, 12, seed=4)
    weight[0, 2] *= 6
    weight[0, 1, 4] = 0.0
    grid = Grid.search(weight, 4)
    found = obq(weight, hessian, grid, order="greedy", damping=0.0).codes[0].numpy()
    scale, zero = grid.scale[0].double().numpy(), grid.zero[0].numpy()
    for row in range(5):
        w, inverse = weight[0, row].numpy().copy(), np.linalg.inv(hessian[0].numpy())
        codes, free = np.zeros(12, int), list(range(12))
        fixed = [i for i in range(12) if w[i] == 0]
        while free:
            code = np.clip(np.rint(w / scale[row]) + zero[row], 0, 3)
            error = w - scale[row] * (code - zero[row])
            chosen = min(free, key=lambda i: error[i] ** 2 / inverse[i, i])
            farthest = max(free, key=lambda i: error[i] ** 2)
            if error[farthest] ** 2 > scale[row] ** 2 / 4 * (1 + 1e-9) and w[chosen] != 0:
                chosen = farthest
            if fixed:
                chosen = fixed.pop(0)
            codes[chosen] = code[chosen]
            w = w - inverse[:, chosen] * error[chosen] / inverse[chosen, chosen]
            inverse = inverse - np.outer(inverse[:, chosen], inverse[chosen]) / inverse[chosen, chosen]
            free.remove(chosen)
            inverse[chosen, chosen] = 1.0
        np.testing.assert_array_equal(found[row], codes)


def test_the_fixed_order_is_the_update_written_out() -> None:
    weight, hessian = layer(4, 150, seed=2)
    grid = Grid.search(weight, 4)
    found = obq(weight, hessian, grid, order="columns", damping=0.0).codes[0].numpy()
    scale, zero = grid.scale[0].double().numpy(), grid.zero[0].numpy()
    w, matrix = weight[0].numpy().copy(), hessian[0].numpy()
    for column in range(150):
        inverse = np.linalg.inv(matrix[column:, column:])
        code = np.clip(np.rint(w[:, column] / scale) + zero, 0, 3)
        error = w[:, column] - scale * (code - zero)
        np.testing.assert_array_equal(found[:, column], code)
        w[:, column:] -= error[:, None] * inverse[0] / inverse[0, 0]


def test_a_singular_hessian_is_damped_until_it_can_be_inverted() -> None:
    weight, _ = layer(4, 10)
    data = torch.randn(1, 10, 3, dtype=torch.float64)
    hessian = data @ data.mT
    grid = Grid.search(weight, 8)
    for order in ORDERS:
        found = obq(weight, hessian, grid, order=order, damping=0.0)
        ours = quadratic(weight, grid.values(found.codes), hessian).sum()
        assert ours < quadratic(weight, grid.nearest(weight), hessian).sum()


def test_a_greedy_order_that_would_take_hours_is_refused_with_its_price() -> None:
    with pytest.raises(InputError, match=r"about 3.5 hours on a weight of 512 rows of 4608; use order=diagonal"):
        obq(
            torch.zeros(1, 512, 4608),
            torch.zeros(1, 4608, 4608),
            Grid(2, torch.ones(1, 512), torch.zeros(1, 512, dtype=torch.int32)),
            order="greedy",
        )


def test_compensated_weights_solve_the_ridge_problem() -> None:
    inputs = torch.randn(2, 6, 50, dtype=torch.float64)
    outputs, weight = torch.randn(2, 4, 50, dtype=torch.float64), torch.randn(2, 4, 6, dtype=torch.float64)
    gram = Gram.empty(2, 4, 6, torch.device("cpu")).plus(inputs, outputs, 50)
    made = compensated(weight, gram, damping=0.1)
    for group in range(2):
        pull = 0.1 * np.mean(np.sum(inputs[group].numpy() ** 2, axis=1))
        stacked = np.concatenate([inputs[group].numpy().T, np.sqrt(pull) * np.eye(6)])
        wanted = np.concatenate([outputs[group].numpy().T, np.sqrt(pull) * weight[group].numpy().T])
        expected = np.linalg.lstsq(stacked, wanted, rcond=None)[0].T
        np.testing.assert_allclose(made[group].numpy(), expected, rtol=1e-8, atol=1e-10)


def test_weights_that_answer_already_are_not_moved() -> None:
    inputs, weight = torch.randn(1, 6, 50, dtype=torch.float64), torch.randn(1, 4, 6, dtype=torch.float64)
    gram = Gram.empty(1, 4, 6, torch.device("cpu")).plus(inputs, weight @ inputs, 50)
    torch.testing.assert_close(compensated(weight, gram), weight, rtol=1e-9, atol=1e-9)
