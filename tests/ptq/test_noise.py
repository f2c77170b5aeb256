"""`noise:SPEC`: the variance of what the best scale leaves of the error, drawn afresh for every model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.ptq.networks import images, residual
from torch import nn

import quantleak as ql
from quantleak.ptq import procedure
from quantleak.ptq.noise import residual_variance
from quantleak.testing import check_procedure


@pytest.mark.parametrize("spec", ["noise:sign", "noise:uniform:4?axis=0", "noise:obq:3?head=8&fold=true"])
def test_it_is_a_procedure_of_its_own_spec(spec: str) -> None:
    check_procedure(spec)
    one = procedure(spec)
    assert (one.spec, one.discrete, one.is_baseline) == (spec, False, False)
    assert one.calibration_rows == procedure(spec.removeprefix("noise:")).calibration_rows


def test_the_variance_is_that_of_the_least_squares_residual() -> None:
    random = np.random.default_rng(0)
    weight, quantized = random.normal(size=(1, 5, 200)), random.normal(size=(1, 5, 200))
    quantized[0, 0] = 0
    found = residual_variance(torch.from_numpy(weight), torch.from_numpy(quantized)).numpy()
    for row in range(1, 5):
        left = np.linalg.lstsq(quantized[0, row][:, None], weight[0, row], rcond=None)[1][0] / 200
        assert found[0, row] == pytest.approx(left)
    assert found[0, 0] == pytest.approx(np.mean(weight[0, 0] ** 2))


def test_of_the_sign_it_is_a_third_of_normal_weights() -> None:
    weight = torch.randn(1, 3, 50_000, generator=torch.Generator().manual_seed(0))
    found = residual_variance(weight, weight.sign() * 20)
    torch.testing.assert_close(found, torch.full((1, 3), 1 - 2 / np.pi, dtype=torch.float64), rtol=0.02, atol=0)


def test_its_size_is_right_and_no_two_models_share_it() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(400, 30))
    one, two = (ql.quantize(model, "noise:sign", seed=seed)[0] for seed in (1, 2))
    noise = [(made.weight - model[0].weight).detach() for made in (one, two)]
    expected = residual_variance(model[0].weight.detach()[None], model[0].weight.detach().sign()[None])[0]
    for each in noise:
        torch.testing.assert_close(each.double().square().mean(1), expected, rtol=0.3, atol=0)
    assert abs(float(torch.corrcoef(torch.stack([each.flatten() for each in noise]))[0, 1])) < 0.05
    assert torch.equal(one.bias, model[0].bias)


def test_folding_the_norms_does_not_change_its_size() -> None:
    model, inputs = residual(), images()
    plain = ql.quantize(model, "noise:rtn:3", seed=5)
    folded = ql.quantize(model, "noise:rtn:3?fold=true", calibration=inputs, seed=5)
    torch.testing.assert_close(plain[0].weight, folded[0].weight, rtol=1e-4, atol=1e-5)
    assert isinstance(folded[1], nn.BatchNorm2d)


def test_an_unknown_quantizer_is_refused() -> None:
    with pytest.raises(ql.InputError, match=r"Unknown quantizer 'obqq'. Did you mean 'obq'\?"):
        procedure("noise:obqq:3")
    with pytest.raises(ql.InputError, match=r"'of' is missing; for example 'noise:obq:3'"):
        procedure("noise")
