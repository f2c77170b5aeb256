"""The general route: one model after another, for whatever torch can train (convolutions, BatchNorm, dropout, ...)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.objective import LOSSES
from quantleak.fleet.optimizers import set_learning_rate
from quantleak.fleet.training import Training
from quantleak.models.rebuilt import require_rebuilt
from quantleak.ptq.modules.layout import state
from quantleak.rng import Stream, torch_seed


class Serial:
    """A plain training loop a model; random layers and augmentation draw from streams of (seed, model, epoch)."""

    name = "serial"
    one_by_one = True

    def refuses(self, block: Block) -> str | None:
        """Nothing."""
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train model by model between two evaluated epochs.

        A model is built when its turn comes and dropped after its last epoch: where only the last epoch is evaluated,
        there is one at a time.

        Raises:
            InputError: In the last epoch, if a model cannot be rebuilt from what is kept of it.
        """
        training, layout = block.fleet.training, block.layout
        data, channels_last = block.data(), _channels_last(block)
        waiting: dict[int, _Model] = {}
        since = 0
        for epoch in range(1, training.epochs + 1):
            if not training.evaluated(epoch):
                continue
            flat = torch.empty(len(block.models), layout.size, device=block.device)
            for place, number in enumerate(block.models):
                model = waiting.pop(place, None) or _Model(block, number, data, channels_last=channels_last)
                for one in range(since + 1, epoch + 1):
                    model.epoch(one)
                flat[place] = layout.flatten(state(model.module))
                if epoch < training.epochs:
                    waiting[place] = model
                else:
                    model.require_rebuilt(flat[place])
                del model
            since = epoch
            yield Checkpoint(epoch, flat)


class _Model:
    """One model in training, its optimizer and its stream of minibatches."""

    def __init__(self, block: Block, number: int, data: tuple[Tensor, Tensor], *, channels_last: bool) -> None:
        alone = Block(block.fleet, (number,))
        self.fleet, self.number, self.training = block.fleet, number, block.fleet.training
        self.module, self.batches = alone.modules()[0].train(), alone.batches()[0]
        self.features, self.targets = data
        self.layout = torch.channels_last if channels_last else None
        if self.layout is not None:
            _lay_out(self.module, self.layout)
        self.loss = LOSSES[block.fleet.task]
        self.optimizer = self.training.optimizer.make([p for p in self.module.parameters() if p.requires_grad])

    def epoch(self, epoch: int) -> None:
        """One pass over the model's members."""
        order = torch.from_numpy(self.batches.epoch()).to(self.features.device)
        drawn = torch.Generator().manual_seed(torch_seed(self.fleet.seed, Stream.AUGMENT, self.number, epoch))
        set_learning_rate(self.optimizer, self.training.learning_rate(epoch))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(self.fleet.seed, Stream.FORWARD, self.number, epoch))
            for first, last in pairwise(self.batches.edges):
                rows = order[first:last]
                self.optimizer.zero_grad()
                self._loss(self._inputs(rows, drawn), self.targets[rows]).backward()
                self.optimizer.step()
        self.optimizer.zero_grad()  # a waiting model needs no gradients

    def _inputs(self, rows: Tensor, drawn: torch.Generator) -> Tensor:
        inputs = self.features[rows]
        if self.training.augment.transforms:
            inputs = self.training.augment(inputs, drawn)
        return inputs if self.layout is None else inputs.contiguous(memory_format=self.layout)

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with _precision(self.training, inputs.device):
            outputs: Tensor = self.module(inputs)
        return self.loss(outputs if self.training.precision == "float32" else outputs.float(), targets).mean()

    def require_rebuilt(self, flat: Tensor) -> None:
        """Refuse a model that cannot be rebuilt from its flat vector; the module is evaluated as it will be later."""
        if self.layout is not None:
            _lay_out(self.module, torch.contiguous_format)
        require_rebuilt(self.fleet.network, self.module, flat, self.features)


def _precision(training: Training, device: torch.device) -> AbstractContextManager[object]:
    """Autocast for one forward pass, or nothing: what it casts of the weights holds until the next step only."""
    return nullcontext() if training.precision == "float32" else torch.autocast(device.type, dtype=torch.bfloat16)


def _lay_out(module: nn.Module, memory_format: torch.memory_format) -> None:
    cast(Any, module).to(memory_format=memory_format)  # which torch's annotations do not know of


def _channels_last(block: Block) -> bool:
    """Whether images and convolutions lie in memory channel by channel within each pixel.

    Measured on a ResNet-8 on processors: 1.45 times faster in float32, 1.2 in bfloat16. On
    GPUs, where it was not measured, float32 keeps the usual layout.
    A module that looks into its tensors' memory, such as one with `x.view(len(x), -1)`, trains without.
    """
    network, training = block.fleet.network, block.fleet.training
    if len(network.input_shape) != 3 or (training.precision == "float32" and block.device.type != "cpu"):
        return False
    module = network.module(seed=0).to(block.device).train()
    _lay_out(module, torch.channels_last)
    images = torch.zeros(2, *network.input_shape, device=block.device)
    try:
        with torch.random.fork_rng(devices=[]), _precision(training, block.device):
            module(images.contiguous(memory_format=torch.channels_last)).sum().backward()
    # A user's module can raise anything; that it does so in this layout only is all there is to know.
    except Exception:
        return False
    return True
