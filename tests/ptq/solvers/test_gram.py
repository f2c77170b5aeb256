"""Gram matrices against their definition, whole and in parts."""

from __future__ import annotations

import torch

from quantleak.ptq.solvers import Gram, product


def test_o7_parts_give_the_sums_of_the_whole() -> None:
    inputs, outputs = torch.randn(2, 5, 60, dtype=torch.float64), torch.randn(2, 3, 60, dtype=torch.float64)
    empty = [Gram.empty(2, 3, 5, torch.device("cpu")) for _ in range(2)]
    whole = empty[0].plus(inputs, outputs, 10)
    parts = empty[1]
    for one, two in zip(inputs.split(18, -1), outputs.split(18, -1), strict=True):
        parts = parts.plus(one, two, one.shape[-1] // 6)
    for name in ("inputs", "outputs", "energy"):
        torch.testing.assert_close(getattr(whole, name), getattr(parts, name), rtol=1e-12, atol=1e-12)
    assert (whole.examples, whole.positions) == (parts.examples, parts.positions) == (10, 60)
    expected = 2 * torch.einsum("gin,gjn->gij", inputs, inputs) / 10
    torch.testing.assert_close(whole.hessian, expected, rtol=1e-12, atol=1e-12)


def test_its_error_is_that_of_the_outputs() -> None:
    inputs, outputs = torch.randn(2, 5, 40, dtype=torch.float64), torch.randn(2, 3, 40, dtype=torch.float64)
    gram = Gram.empty(2, 3, 5, torch.device("cpu")).plus(inputs, outputs, 8)
    weight = torch.randn(2, 3, 5, dtype=torch.float64)
    direct = (weight @ inputs - outputs).square().sum(-1) / 8
    torch.testing.assert_close(gram.error(weight), direct, rtol=1e-10, atol=1e-10)


def test_the_product_is_whole_and_symmetric() -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        data = torch.randn(7, 31).to(dtype)
        made = product(data)
        assert torch.equal(made, made.mT)
        torch.testing.assert_close(made, data @ data.mT, rtol=1e-5 if dtype != torch.bfloat16 else 1e-2, atol=1e-5)
