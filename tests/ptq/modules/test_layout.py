"""Where the tensors of a module lie in a flat vector, and that they come back bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from quantleak.errors import InputError
from quantleak.ptq.modules.layout import Layout, state


class Masked(nn.Module):
    """A module with tensors of every role."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.norm = nn.BatchNorm1d(3)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("mask", torch.tensor([True, False, True]))
        self.register_buffer("index", torch.tensor([[2**40, -1]]))


def test_roles_follow_type_and_axes():
    layout = Layout.of(Masked(), exact=True)
    roles = {slot.name: slot.role for slot in layout.slots}
    assert roles == {
        "linear.weight": "weight", "linear.bias": "bias", "norm.weight": "bias", "norm.bias": "bias", "scale": "bias",
        "norm.running_mean": "buffer", "norm.running_var": "buffer", "mask": "exact", "index": "exact",
    }  # fmt: skip
    assert layout.count == 12 + 3 + 3 + 3 + 1 + 3 + 3 + 3 + 2
    assert layout.size == layout.count - 5 + 3 * 1 + 2 * 8  # tensors of other types lie there byte by byte


def test_slots_fill_the_vector_without_gaps():
    slots = Layout.of(Masked(), exact=True).slots
    assert slots[0].start == 0
    assert [slot.stop for slot in slots[:-1]] == [slot.start for slot in slots[1:]]


@pytest.mark.parametrize("models", [0, 1, 3])
def test_what_is_flattened_comes_back_bit_for_bit(models):
    modules = [Masked() for _ in range(models or 1)]
    layout = Layout.of(modules[0], exact=True)
    tensors = {name: torch.stack([state(m)[name] for m in modules]) for name in state(modules[0])}
    if not models:
        tensors = {name: stacked[0] for name, stacked in tensors.items()}
    flat = layout.flatten(tensors, batch_dims=bool(models))
    assert flat.shape == ((models, layout.size) if models else (layout.size,))
    for name, found in layout.views(flat).items():
        assert found.dtype == tensors[name].dtype
        assert torch.equal(found, tensors[name])


def test_views_share_memory():
    layout = Layout.of(nn.Linear(2, 2))
    flat = torch.zeros(layout.size)
    layout.views(flat)["bias"][0] = 7.0
    assert flat.tolist() == [0, 0, 0, 0, 7, 0]


def test_constants_and_other_types_can_be_left_out():
    names = {slot.name for slot in Layout.of(Masked(), constants=["scale"]).slots}
    assert not names & {"scale", "mask", "index", "norm.num_batches_tracked"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight": None}, "'weight' .* is missing in one"),
        ({"weight": torch.zeros(2, 3)}, r"is torch.float32 of shape \(2, 3\) in one"),
        ({"bias": torch.zeros(2, dtype=torch.int64)}, "'bias' .* is torch.int64"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(changed, message):
    module = nn.Linear(2, 2)
    tensors = {name: tensor for name, tensor in {**state(module), **changed}.items() if tensor is not None}
    with pytest.raises(InputError, match=message):
        Layout.of(module).flatten(tensors)
