"""Blocks by class, by name, by pattern; the head is what runs last."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from quantleak.ptq import register_block
from quantleak.ptq.modules import blocks, blocks_of, head_of


class BasicBlock(nn.Sequential):
    pass


class Mine(nn.Sequential):
    pass


def test_known_names_registered_classes_and_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_REGISTERED", set())
    network = nn.Sequential(nn.Linear(2, 2), BasicBlock(Mine(nn.Linear(2, 2))), Mine(nn.Linear(2, 2)))
    assert blocks_of(network) == ["1"]
    assert register_block(Mine) is Mine
    assert blocks_of(network) == ["1", "2"]
    assert blocks_of(network, ["1.*"]) == ["1.0"]
    assert blocks_of(network, ["nothing"]) == []


def test_the_head_is_the_linear_layer_that_runs_last() -> None:
    class Swapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x)).relu()

    assert head_of(Swapped(), torch.randn(1, 3)) == "last"
    assert head_of(nn.Conv1d(2, 3, 2), torch.randn(1, 2, 4)) is None
