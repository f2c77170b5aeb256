"""One question of every quantizer: does it keep shape, dtype and levels, model by model?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantleak.errors import InputError
from quantleak.quantizers import PAPER_A, Codebook, quantizer

EXTRA = ("uniform:1", "uniform:3?saturate=true", "uniform:3?axis=0", "codebook:3", "codebook:4?dim=3")
SPECS = (*PAPER_A, *EXTRA)
DISCRETE = tuple(spec for spec in SPECS if spec != "identity")
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

values = st.floats(-100, 100, width=16) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5])
tensors = arrays(np.float32, array_shapes(min_dims=1, max_dims=3, max_side=5), elements=values).map(torch.from_numpy)


@given(weight=tensors, spec=st.sampled_from(DISCRETE), dtype=st.sampled_from(DTYPES))
def test_every_value_is_one_of_the_levels(weight, spec, dtype):
    weight = weight.to(dtype)
    rule = quantizer(spec)
    quantized, levels = rule(weight), rule.levels(weight)
    assert quantized.shape == weight.shape
    assert quantized.dtype == levels.dtype == dtype
    assert bool((levels.diff(dim=-1) >= 0).all())
    allowed = levels if "axis" in spec else levels.expand(len(weight), -1)
    for channel, row in zip(quantized, allowed, strict=True):
        assert set(channel.flatten().tolist()) <= set(row.tolist())


@given(weight=tensors, spec=st.sampled_from(SPECS), dtype=st.sampled_from(DTYPES), models=st.integers(1, 4))
def test_each_model_of_a_batch_gets_the_bits_it_gets_alone(weight, spec, dtype, models):
    stack = torch.stack([weight.roll(k, 0) * (k + 1) for k in range(models)]).to(dtype)
    rule = quantizer(spec)
    together = rule(stack, batch_dims=1)
    for alone, model in zip(stack, together, strict=True):
        assert torch.equal(rule(alone), model)
    twofold = torch.stack([stack, stack.flip(0)])
    assert torch.equal(rule(twofold, batch_dims=2), torch.stack([together, together.flip(0)]))
    if spec != "identity":
        assert torch.equal(rule.levels(stack, batch_dims=1), torch.stack([rule.levels(alone) for alone in stack]))


@pytest.mark.parametrize("spec", SPECS)
def test_the_weight_is_neither_changed_nor_shared(spec):
    weight = torch.nn.Parameter(torch.randn(3, 4))
    before = weight.detach().clone()
    quantized = quantizer(spec)(weight)
    assert not quantized.requires_grad
    quantized.fill_(7)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec != "sign"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_stay_zeros(spec, dtype):
    assert torch.equal(quantizer(spec)(torch.zeros(2, 3, dtype=dtype)), torch.zeros(2, 3, dtype=dtype))


@pytest.mark.parametrize("spec", SPECS)
def test_no_negative_zero_comes_out(spec):
    quantized = quantizer(spec)(torch.tensor([-0.001, -1.0, 0.002, 2.0, 0.0]))
    assert not bool((torch.signbit(quantized) & (quantized == 0)).any())


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_an_empty_tensor_stays_empty(spec, shape):
    rule = quantizer(spec)
    assert rule(torch.zeros(shape)).shape == shape
    if spec not in ("identity", "codebook:3", "codebook:4?dim=3"):
        assert rule.levels(torch.zeros(shape)).shape[-1] > 1


@pytest.mark.parametrize("spec", SPECS)
def test_a_single_number_without_axes(spec):
    if "axis" in spec:
        return
    assert quantizer(spec)(torch.tensor(0.75)).shape == ()
    assert quantizer(spec)(torch.tensor([0.75, -3.0]), batch_dims=1).shape == (2,)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([[1.0, 2.0, torch.nan], [torch.nan, 1.0, torch.nan]], r"3 NaN values, first at index \(0, 2\)"),
        ([[1.0, 2.0, 3.0], [4.0, -torch.inf, 1.0]], r"1 infinite value, first at index \(1, 1\)"),
        ([[torch.inf, -torch.inf, 1.0]], r"2 infinite values, first at index \(0, 0\)"),
    ],
)
def test_what_is_not_finite_is_refused_by_name(spec, bad, told):
    with pytest.raises(InputError, match=told) as caught:
        quantizer(spec)(torch.tensor(bad))
    assert str(caught.value).startswith(spec)


def test_a_sum_that_overflows_is_not_mistaken_for_infinity():
    weight = torch.full((1000,), 60000.0, dtype=torch.float16)
    assert torch.equal(quantizer("sign")(weight), torch.ones_like(weight))


def test_whole_numbers_are_refused():
    with pytest.raises(InputError, match=r"floating-point tensor, got torch\.int64"):
        quantizer("sign")(torch.ones(3, dtype=torch.int64))


@pytest.mark.parametrize("batch_dims", [-1, 3])
def test_more_batch_axes_than_axes_are_refused(batch_dims):
    with pytest.raises(InputError, match="between 0 and 2"):
        quantizer("sign")(torch.ones(2, 2), batch_dims=batch_dims)


@pytest.mark.parametrize("spec", DISCRETE)
def test_bits_count_the_levels(spec):
    """With many weights overhead vanishes and the bits are log2 of the number of levels, per block."""
    rule = quantizer(spec)
    per_weight = rule.dim if isinstance(rule, Codebook) else 1
    weight = torch.randn(2, 4000)
    levels = rule.size if isinstance(rule, Codebook) else rule.levels(weight).shape[-1]
    assert rule.effective_bits((1000, 12000)) == pytest.approx(np.log2(levels) / per_weight, abs=1e-3)


def test_identity_is_not_discrete_and_has_no_levels():
    rule = quantizer("identity")
    assert not rule.discrete
    assert rule.effective_bits((3, 4)) == 32
    with pytest.raises(InputError, match="no finite list of levels"):
        rule.levels(torch.ones(3))
