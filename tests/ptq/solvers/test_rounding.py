"""Invariants A1 to A6 of learned rounding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantleak.ptq.solvers import Gram, Grid, Penalty, SoftRounding, learn_rounding


def gram_of(weight: torch.Tensor, inputs: torch.Tensor, outputs: torch.Tensor | None = None) -> Gram:
    groups, rows, columns = weight.shape
    wanted = weight @ inputs if outputs is None else outputs
    return Gram.empty(groups, rows, columns, torch.device("cpu")).plus(inputs, wanted, inputs.shape[-1])


def test_a1_at_the_start_soft_weights_are_the_weights() -> None:
    weight = torch.randn(2, 5, 40)
    grid = Grid.search(weight, 8, span="minmax")
    soft, start = SoftRounding.of(weight, grid)
    scale, zero = grid.scale[..., None], grid.zero[..., None]
    inside = (weight >= -zero * scale) & (weight <= (7 - zero) * scale)
    assert inside.double().mean() > 0.95
    torch.testing.assert_close(soft.weight(start)[inside], weight[inside], rtol=1e-5, atol=1e-5)
    assert start.isfinite().all()
    assert start.abs().max() <= np.log(11) + 1e-5


@pytest.mark.parametrize("levels", [2, 3, 16])
def test_a2_every_code_is_the_floor_or_one_more(levels: int) -> None:
    weight = torch.randn(1, 6, 30)
    grid = Grid.search(weight, levels)
    soft, _ = SoftRounding.of(weight, grid)
    floor = (weight / grid.scale[..., None]).floor() + grid.zero[..., None]
    gram = gram_of(weight, torch.randn(1, 30, 100))
    codes = learn_rounding(weight, gram, grid, Penalty(weight=0.01, steps=60))
    low, high = floor.clamp(0, levels - 1), (floor + 1).clamp(0, levels - 1)
    assert ((codes == low) | (codes == high)).all()
    assert torch.equal(soft.codes(torch.zeros_like(weight, dtype=torch.bool)), low.int())


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=20), st.floats(2, 20))
def test_a3_shares_and_their_penalty(values: list[float], beta: float) -> None:
    variable = torch.tensor(values)
    share = SoftRounding.share(variable)
    assert ((share >= 0) & (share <= 1)).all()
    far = variable.abs() > 1e-6
    assert torch.equal((variable >= 0)[far], (share >= 0.5)[far])
    penalty = Penalty(weight=0.5, steps=10)
    hard = torch.tensor([0.0, 1.0])
    assert penalty.value(hard, beta).item() == 0
    assert penalty.value(torch.full((7,), 0.5), beta).item() == pytest.approx(0.5 * 7)
    assert 0 <= penalty.value(share, beta).item() <= 0.5 * len(values) + 1e-6


def test_the_gradient_of_the_penalty_is_its_derivative() -> None:
    share = torch.rand(50, dtype=torch.float64, requires_grad=True)
    penalty = Penalty(weight=0.3, steps=10)
    penalty.value(share, 5.5).backward()
    assert share.grad is not None
    torch.testing.assert_close(penalty.gradient(share.detach(), 5.5), share.grad, rtol=1e-9, atol=1e-12)


def test_a6_beta_is_off_in_the_warm_up_and_then_falls_from_20_to_2() -> None:
    penalty = Penalty(weight=0.01, steps=1000)
    betas = [penalty.beta(step) for step in range(1000)]
    assert betas[:200] == [None] * 200
    late = [beta for beta in betas[200:] if beta is not None]
    assert len(late) == 800
    assert late[0] == 20
    assert late[-1] == pytest.approx(2, abs=0.05)
    assert all(one > two for one, two in itertools.pairwise(late))
    assert penalty.beta(1000) == 2


@pytest.mark.parametrize("levels", [3, 4, 16])
def test_a4_the_learned_rounding_is_no_worse_than_the_nearest(levels: int) -> None:
    mix = torch.randn(1, 24, 24)
    weight, inputs = torch.randn(1, 10, 24), mix @ torch.randn(1, 24, 200)
    grid, gram = Grid.search(weight, levels), gram_of(weight, inputs)
    for steps in (1, 30, 500):  # after one step little is learned
        codes = learn_rounding(weight, gram, grid, Penalty(weight=0.01, steps=steps))
        assert (gram.error(grid.values(codes)) <= gram.error(grid.nearest(weight)) + 1e-9).all()
    assert gram.error(grid.values(codes)).sum() < 0.95 * gram.error(grid.nearest(weight)).sum()


def test_a5_on_small_layers_it_mostly_finds_the_best_of_all_roundings() -> None:
    found, close = 0, 0
    for seed in range(20):
        random = torch.Generator().manual_seed(seed)
        weight = torch.randn(1, 1, 4, generator=random)
        mix = torch.randn(1, 4, 4, generator=random) * 0.5 + torch.eye(4)
        inputs = mix @ torch.randn(1, 4, 60, generator=random)
        grid, gram = Grid.search(weight, 4), gram_of(weight, inputs)
        soft, _ = SoftRounding.of(weight, grid)
        options = [soft.codes(torch.tensor(up).view(1, 1, 4)) for up in itertools.product((False, True), repeat=4)]
        best = min(float(gram.error(grid.values(codes))) for codes in options)
        codes = learn_rounding(weight, gram, grid, Penalty(weight=0.01, steps=1000))
        ours = float(gram.error(grid.values(codes)))
        assert ours >= best - 1e-6
        found += ours <= best * 1.0001 + 1e-9
        close += ours <= best * 1.5 + 1e-9
    assert found >= 12
    assert close >= 17


def test_the_quadratic_is_the_loss_on_the_data() -> None:
    """Two hundred steps with Gram matrices and with the outputs themselves end in the same codes."""
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(1, 4, 12, generator=random)
    inputs = torch.randn(1, 12, 12, generator=random) @ torch.randn(1, 12, 90, generator=random)
    outputs = weight @ inputs + 0.1 * torch.randn(1, 4, 90, generator=random)
    grid, penalty = Grid.search(weight, 4), Penalty(weight=0.01, steps=200)
    soft, start = SoftRounding.of(weight, grid)
    variable = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([variable], lr=0.01)
    for step in range(200):
        loss = (soft.weight(variable) @ inputs - outputs).square().sum() / 90
        beta = penalty.beta(step)
        if beta is not None:
            loss = loss + penalty.value(SoftRounding.share(variable), beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    direct = soft.codes(variable.detach() >= 0)
    assert torch.equal(learn_rounding(weight, gram_of(weight, inputs, outputs), grid, penalty), direct)
