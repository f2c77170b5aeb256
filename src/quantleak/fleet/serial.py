"""The general route: one model after another, for whatever torch can train (convolutions, BatchNorm, dropout, ...)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from quantleak.fleet.batches import ModelBatches
from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.layout import Layout, state
from quantleak.fleet.objective import LOSSES
from quantleak.fleet.training import Stream, torch_seed


class Serial:
    """A plain training loop a model; random layers draw from a stream of (seed, model, epoch)."""

    name = "serial"

    def refuses(self, block: Block) -> str | None:
        """Nothing."""
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train model by model between two evaluated epochs."""
        models = [_Model(block, m, batches) for m, batches in zip(block.models, block.batches(), strict=True)]
        training = block.fleet.training
        since = 0
        for epoch in range(1, training.epochs + 1):
            if training.evaluated(epoch):
                for model in models:
                    for number in range(since + 1, epoch + 1):
                        model.epoch(number)
                since = epoch
                yield Checkpoint(epoch, torch.stack([model.flat() for model in models]))


class _Model:
    def __init__(self, block: Block, number: int, batches: ModelBatches) -> None:
        self.number, self.seed, self.batches = number, block.fleet.seed, batches
        self.module = block.fleet.network.module(block.start_seed(number)).to(block.device).train()
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
        return Layout.of(self.module).flatten(state(self.module))
