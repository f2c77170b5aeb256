"""B3: folding leaves the outputs; and statistics are taken again as torch takes them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.modules import fold, fold_like, retune


def warm(module: nn.Module, *shape: int) -> tuple[nn.Module, Tensor]:
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and part.affine:
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    for _ in range(4):
        module.train()(torch.randn(32, *shape) * 2 + 1)
    return module.eval(), torch.randn(16, *shape)


def nets() -> dict[str, tuple[nn.Module, Tensor]]:
    return {
        "convolution": warm(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()), 3, 6, 6),
        "with a bias": warm(nn.Sequential(nn.Conv2d(4, 4, 3, groups=2), nn.BatchNorm2d(4)), 4, 6, 6),
        "linear": warm(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), 5),
        "plain norm": warm(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, affine=False)), 5),
        "transposed": warm(
            nn.Sequential(nn.ConvTranspose2d(4, 6, 3, groups=2, stride=2, bias=False), nn.BatchNorm2d(6)), 4, 5, 5
        ),
    }


@pytest.mark.parametrize("name", ["convolution", "with a bias", "linear", "plain norm", "transposed"])
def test_b3_folding_leaves_the_outputs(name: str) -> None:
    module, inputs = nets()[name]
    folded = copy.deepcopy(module)
    assert fold(folded, inputs) == [("0", "1")]
    assert not any("BatchNorm" in type(part).__name__ for part in folded.modules())
    torch.testing.assert_close(folded(inputs), module(inputs), rtol=1e-5, atol=1e-5)
    like = copy.deepcopy(module)
    fold_like(like, set(folded.state_dict()))
    like.load_state_dict(folded.state_dict())
    assert torch.equal(like(inputs), folded(inputs))


def test_a_norm_that_does_not_follow_its_layer_stays() -> None:
    module, inputs = warm(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)), 3, 6, 6)
    assert fold(module, inputs) == []
    assert isinstance(module[2], nn.BatchNorm2d)


def test_an_output_that_something_else_reads_too_is_refused() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            return self.norm(y) + y

    module, inputs = warm(Shared(), 3, 6, 6)
    with pytest.raises(InputError, match=r"Folding the batch norms changes what the model computes.*fold=false"):
        fold(module, inputs)


def test_statistics_are_those_of_the_inputs() -> None:
    module, _ = warm(nn.Sequential(nn.BatchNorm1d(5), nn.Dropout(0.5)), 5)
    inputs = torch.randn(128, 5) * 3 + 2
    assert retune(module, inputs) == 1
    norm = module[0]
    torch.testing.assert_close(norm.running_mean, inputs.mean(0))
    torch.testing.assert_close(norm.running_var, inputs.var(0))
    assert (norm.momentum, norm.training, module[1].training) == (0.1, False, False)
