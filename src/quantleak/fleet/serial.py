"""The general route: one model after another, for whatever torch can train (convolutions, BatchNorm, dropout, ...)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from quantleak.fleet.batches import ModelBatches
from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.objective import LOSSES
from quantleak.models.rebuilt import require_rebuilt
from quantleak.ptq.modules.layout import state
from quantleak.rng import Stream, torch_seed


class Serial:
    """A plain training loop a model; random layers draw from a stream of (seed, model, epoch)."""

    name = "serial"

    def refuses(self, block: Block) -> str | None:
        """Nothing."""
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train model by model between two evaluated epochs.

        Raises:
            InputError: At the end, if a model cannot be rebuilt from what is kept of it.
        """
        dealt = zip(block.models, block.modules(), block.batches(), strict=True)
        models = [_Model(block, *each) for each in dealt]
        training = block.fleet.training
        since = 0
        for epoch in range(1, training.epochs + 1):
            if training.evaluated(epoch):
                for model in models:
                    for number in range(since + 1, epoch + 1):
                        model.epoch(number)
                since = epoch
                yield Checkpoint(epoch, torch.stack([model.flat() for model in models]))
        for model in models:
            require_rebuilt(block.fleet.network, model.module, model.flat(), model.features)


class _Model:
    def __init__(self, block: Block, number: int, module: nn.Module, batches: ModelBatches) -> None:
        self.number, self.seed, self.batches = number, block.fleet.seed, batches
        self.module, self.layout = module.train(), block.layout
        self.features, self.targets = block.data()
        self.loss = LOSSES[block.fleet.task]
        self.optimizer = block.fleet.training.optimizer.make([p for p in self.module.parameters() if p.requires_grad])

    def epoch(self, epoch: int) -> None:
        order = torch.from_numpy(self.batches.epoch()).to(self.features.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.seed, Stream.FORWARD, self.number, epoch))
            for first, last in pairwise(self.batches.edges):
                rows = order[first:last]
                self.optimizer.zero_grad()
                self.loss(self.module(self.features[rows]), self.targets[rows]).mean().backward()
                self.optimizer.step()

    def flat(self) -> Tensor:
        return self.layout.flatten(state(self.module))
