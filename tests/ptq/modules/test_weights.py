"""Which weights a module has, and what is refused by name."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, weight_norm

from quantleak.errors import InputError
from quantleak.ptq.modules import weights_of


def test_kinds_in_the_order_of_the_parameters() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.place = nn.Parameter(torch.randn(1, 3, 4))
            self.embed = nn.Embedding(5, 4)
            self.attend = nn.MultiheadAttention(4, 2)
            self.recur = nn.GRU(4, 3)
            self.conv = nn.Conv1d(3, 6, 2, groups=3)
            self.up = nn.ConvTranspose1d(6, 4, 2, groups=2)
            self.norm = nn.LayerNorm((2, 4))
            self.head = nn.Linear(4, 2)

    found = {weight.name: (weight.kind, weight.rows, weight.groups) for weight in weights_of(Own())}
    assert found == {
        "place": ("other", 1, 1),
        "embed.weight": ("embedding", 5, 1),
        "attend.in_proj_weight": ("other", 12, 1),
        "attend.out_proj.weight": ("other", 4, 1),
        "recur.weight_ih_l0": ("other", 9, 1),
        "recur.weight_hh_l0": ("other", 9, 1),
        "conv.weight": ("convolution", 6, 3),
        "up.weight": ("transposed", 4, 2),
        "head.weight": ("linear", 2, 1),
    }


def test_a_tied_weight_is_one_and_belongs_to_the_layer_that_multiplies() -> None:
    embed, head = nn.Embedding(5, 4), nn.Linear(4, 5, bias=False)
    head.weight = embed.weight
    (weight,) = weights_of(nn.ModuleDict({"embed": embed, "head": head}))
    assert (weight.name, weight.layer, weight.kind, weight.tied) == ("embed.weight", "head", "linear", ("head.weight",))


def _pruned() -> nn.Module:
    layer = nn.Linear(4, 3)
    prune.l1_unstructured(layer, "weight", 0.5)
    return layer


def _infinite() -> nn.Module:
    layer = nn.Linear(4, 3)
    nn.init.constant_(layer.weight, float("inf"))
    return layer


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.LazyLinear(3)), "'0.weight' of LazyLinear has no values yet: call the model"),
        (nn.Sequential(_pruned()), "'0.weight_orig' is not the weight itself.*torch.nn.utils.prune.remove"),
        (parametrizations.weight_norm(nn.Linear(4, 3)), "is not the weight itself.*remove_parametrizations"),
        (nn.Sequential(_infinite()), "'0.weight' of Linear holds NaN or infinite values: the model has diverged"),
        (nn.ReLU(), "ReLU has no weight of two or more dimensions: there is nothing to quantize"),
        (nn.LayerNorm(3), "there is nothing to quantize"),
    ],
)
def test_what_cannot_be_quantized_is_refused_by_name(module: nn.Module, message: str) -> None:
    with pytest.raises(InputError, match=message):
        weights_of(module)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_old_weight_norm_is_refused() -> None:
    with pytest.raises(InputError, match=r"remove_weight_norm"):
        weights_of(weight_norm(nn.Linear(4, 3)))
