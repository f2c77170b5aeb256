from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from quantleak.ptq import Elementwise, digest, procedure
from quantleak.ptq.modules.layout import state
from quantleak.quantizers import quantizer


def module(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        made.register_buffer("mask", torch.tensor([True, False]))
    return made


@given(st.sampled_from(["0.weight", "0.bias", "1.weight", "1.running_var", "mask"]), st.integers(0, 1))
def test_any_tensor_that_counts_changes_the_digest(name: str, place: int) -> None:
    one, two = module(), module()
    assert digest(one) == digest(two)
    values = state(two)[name].detach().view(-1)
    values[place] = ~values[place] if values.dtype == torch.bool else torch.nextafter(values[place], torch.tensor(9.0))
    assert digest(one) != digest(two)


def test_the_sign_of_zero_and_the_count_of_batches_do_not() -> None:
    one, two = module(), module()
    one[0].bias.data[0], two[0].bias.data[0] = 0.0, -0.0
    two[1].num_batches_tracked += 3
    assert digest(one) == digest(two)


def test_equal_bytes_under_another_shape_name_or_dtype_are_another_model() -> None:
    def held(name: str, tensor: torch.Tensor) -> bytes:
        made = nn.Module()
        made.register_buffer(name, tensor)
        return digest(made)

    numbers = torch.zeros(4, 2)
    digests = {held("a", numbers), held("b", numbers), held("a", numbers.T), held("a", numbers.int())}
    assert len(digests) == 4


def test_why_there_is_no_rate() -> None:
    assert procedure("sign").no_rate is None
    assert procedure("identity").no_rate == "not a discrete set of parameters"
    assert procedure("sign", "float32").no_rate == "not a discrete set of parameters"


def test_settings_given_in_python_only_are_no_part_of_the_spec() -> None:
    one = procedure("ternary:0.5", "float16")
    assert one == Elementwise(rule=quantizer("ternary:0.5"), unquantized_dtype="float16")
    assert one.spec == "ternary:0.5"
