from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.quantizers import Uniform, quantizer
from quantleak.quantizers.uniform import power_of_two

elements = st.floats(-1e4, 1e4, width=32).filter(lambda w: w == 0 or abs(w) > 1e-30) | st.sampled_from(
    [0.0, 1.0, -0.25]
)
weights = arrays(np.float32, st.integers(1, 30), elements=elements)


def alpha_of(largest: Fraction) -> Fraction:
    """Oracle: the integer e with 2^(e - 1/2) < largest < 2^(e + 1/2), by comparing squares of rationals."""
    exponent = -200
    while largest**2 >= Fraction(2) ** (2 * exponent + 1):
        exponent += 1
    return Fraction(2) ** exponent


def by_the_paper(weight: list[float], bits: int) -> list[float]:
    """The rule in rational arithmetic, as it is printed (with the absolute value inside the clip)."""
    exact = [Fraction(w) for w in weight]
    largest = max(abs(w) for w in exact)
    if largest == 0:
        return [0.0] * len(weight)
    alpha, steps = alpha_of(largest), 2 ** (bits - 1)
    sign = [(w > 0) - (w < 0) for w in exact]
    inside = [min(max(steps * abs(w) / alpha, Fraction(0)), Fraction(steps)) for w in exact]
    return [float(s * alpha / steps * math.floor(1 + x)) for s, x in zip(sign, inside, strict=True)]


@given(weight=weights, bits=st.integers(1, 8))
@settings(max_examples=50)
def test_the_paper_s_rule_in_rational_arithmetic(weight, bits):
    assert Uniform(bits=bits)(torch.from_numpy(weight)).tolist() == by_the_paper(weight.tolist(), bits)


@given(weight=weights, bits=st.integers(1, 8))
@settings(max_examples=50)
def test_saturate_keeps_to_its_levels_and_changes_nothing_else(weight, bits):
    weight = torch.from_numpy(weight)
    literal, kept = Uniform(bits=bits)(weight), Uniform(bits=bits, saturate=True)(weight)
    levels = Uniform(bits=bits, saturate=True).levels(weight)
    assert len(levels) == 2**bits
    inside = (literal.abs() <= levels[-1]) & (weight != 0)
    assert torch.equal(kept[inside], literal[inside])
    assert bool((kept.abs() <= levels[-1]).all())


def test_zero_goes_up_only_where_saturation_needs_its_code():
    weight = torch.tensor([0.0, -0.0, 1.0, -1.0])
    assert Uniform(bits=2)(weight).tolist() == [0, 0, 1.5, -1.5]
    assert Uniform(bits=2, saturate=True)(weight).tolist() == [0.5, 0.5, 1, -1]


@given(weight=arrays(np.float32, (3, 4, 2), elements=elements), axis=st.integers(-3, 2), saturate=st.booleans())
@settings(max_examples=40)
def test_an_axis_quantizes_each_channel_alone(weight, axis, saturate):
    weight = torch.from_numpy(weight)
    together = Uniform(bits=3, saturate=saturate, axis=axis)(weight)
    alone = [Uniform(bits=3, saturate=saturate)(channel) for channel in weight.unbind(axis)]
    assert torch.equal(together, torch.stack(alone, dim=axis))
    assert Uniform(bits=3, saturate=saturate, axis=axis).levels(weight).shape[0] == weight.shape[axis]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_scale_is_exact_next_to_the_square_root_of_two(dtype):
    for exponent in range(-12, 13):
        root = torch.tensor(math.sqrt(2) * 2.0**exponent, dtype=dtype)
        for value in (torch.nextafter(root, root * 0), root, torch.nextafter(root, root * 2)):
            assert float(power_of_two(value)) == float(alpha_of(Fraction(value.item())))


@pytest.mark.parametrize("scale", [1e-45, 1e-40, 1e-37, 1e-30, 1e30])
def test_far_ends_of_float32(scale):
    quantized = Uniform(bits=4)(torch.tensor([scale, -scale, 0.0]))
    assert bool(torch.isfinite(quantized).all())
    assert quantized.sign().tolist() == [1, -1, 0]


def test_float16_is_computed_without_overflow_on_the_way():
    weight = torch.tensor([40000.0, 3.0, -6e-8], dtype=torch.float16)
    assert Uniform(bits=5)(weight).tolist() == [34816, 2048, -2048]


@pytest.mark.parametrize(
    ("dtype", "largest"), [(torch.float16, 60000.0), (torch.float32, 3e38), (torch.float64, 1.7e308)]
)
def test_a_top_level_beyond_the_dtype_is_refused(dtype, largest):
    with pytest.raises(InputError, match="overflows"):
        Uniform(bits=2)(torch.tensor([largest], dtype=dtype))


def test_bits_of_scales_are_shared_by_their_weights():
    assert Uniform(bits=2, saturate=True).effective_bits((4, 8)) == 2 + 8 / 32
    assert Uniform(bits=2, saturate=True, axis=0).effective_bits((4, 8)) == 2 + 8 / 8
    assert Uniform(bits=2).effective_bits((4, 8)) == math.log2(7) + 8 / 32


@pytest.mark.parametrize("spec", ["uniform:0", "uniform:17"])
def test_bits_out_of_range(spec):
    with pytest.raises(InputError, match="from 1 to 16"):
        quantizer(spec)


def test_an_axis_the_weight_has_not():
    with pytest.raises(InputError, match="axis must lie between -2 and 1"):
        Uniform(bits=2, axis=2)(torch.ones(2, 2))
