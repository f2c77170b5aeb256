"""The user's own training: one LightningModule after another, trained by its own steps and optimizers."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from quantleak.fleet.batches import ModelBatches
from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.optimizers import Adam
from quantleak.models.framework import lightning_base
from quantleak.models.rebuilt import require_rebuilt
from quantleak.ptq.modules.layout import state
from quantleak.rng import Stream, torch_seed
from quantleak.store.rows import RowBuffer, Storage

_MEMORY = 2**30  # bytes of snapshots of a block in memory; what comes after goes to a temporary file
_OFF = (
    "logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler",
)  # fmt: skip


class SerialLightning:
    """One `Trainer.fit` a model: its `training_step`, `configure_optimizers` and hooks decide how it is trained.

    The fleet decides on what: each model is given its own members as batches `(features, targets)`, the same
    minibatches in the same order as the serial trainer, for the fleet's number of epochs. Targets are float32 [B] for
    binary tasks and regression, int64 [B] for multiclass. `forward(features)` must return the logits [B, outputs].
    """

    name = "serial-lightning"
    one_by_one = True

    def refuses(self, block: Block) -> str | None:
        """Modules that are no LightningModule, and settings that it would not follow."""
        if lightning_base(block.fleet.network.module(seed=0)) is None:
            return "serial-lightning trains LightningModules only"
        if block.fleet.training.optimizer != Adam():
            return (
                f"a LightningModule brings its own optimizer in configure_optimizers, and '"
                f"{block.fleet.training.optimizer.spec}' would not be used; leave the optimizer out"
            )
        if settings := block.fleet.training.other_than_usual("schedule", "augment", "precision"):
            return (
                f"a LightningModule trains by its own steps, and {settings} would not be used; write it into the "
                "module and leave it out here"
            )
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train model by model, keep what each was after every evaluated epoch, then hand over epoch by epoch."""
        snapshots = RowBuffer(Storage(_MEMORY))
        for number, batches in zip(block.models, block.batches(), strict=True):
            snapshots.append(_fit(block, number, batches).cpu())
        training = block.fleet.training
        evaluated = [epoch for epoch in range(1, training.epochs + 1) if training.evaluated(epoch)]
        first = torch.arange(len(block.models)) * len(evaluated)
        for place, epoch in enumerate(evaluated):
            yield Checkpoint(epoch, snapshots.fetch(first + place).to(block.device))


def _fit(block: Block, number: int, batches: ModelBatches) -> Tensor:
    """Train one model; its flat vector after every evaluated epoch, [evaluated, P]."""
    module = block.fleet.network.module(block.start_seed(number))
    watcher = _Watcher(block, number)
    loader = DataLoader(
        _Rows(*block.data()),
        sampler=_Order(batches),
        batch_size=None,
        generator=torch.Generator(),  # what the loader draws for itself must not shift what the model draws
    )
    with _quiet(), torch.random.fork_rng(devices=[]):
        _trainer(module, block, watcher).fit(module, loader)
    rows = watcher.rows(module)
    require_rebuilt(block.fleet.network, module, rows[-1].to(block.device), block.fleet.features)
    return rows


def _trainer(module: nn.Module, block: Block, watcher: _Watcher) -> Any:
    base = lightning_base(module)
    assert base is not None
    hooks = importlib.import_module(f"{base}.callbacks").LambdaCallback(
        on_train_epoch_start=watcher.start, on_train_epoch_end=watcher.end
    )
    return importlib.import_module(base).Trainer(
        max_epochs=block.fleet.training.epochs,
        accelerator="cpu" if block.device.type == "cpu" else "gpu",
        devices=1 if block.device.index is None else [block.device.index],
        callbacks=[hooks],
        limit_val_batches=0,
        num_sanity_val_steps=0,
        **dict.fromkeys(_OFF, False),
    )


class _Watcher:
    """Seeds a model's random layers as the serial trainer does, and keeps its flat vectors."""

    def __init__(self, block: Block, number: int) -> None:
        self.seed, self.number, self.training = block.fleet.seed, number, block.fleet.training
        self.layout = block.layout
        self.seen: list[Tensor] = []

    def start(self, trainer: Any, module: nn.Module) -> None:
        torch.manual_seed(torch_seed(self.seed, Stream.FORWARD, self.number, trainer.current_epoch + 1))

    def end(self, trainer: Any, module: nn.Module) -> None:
        if self.training.evaluated(trainer.current_epoch + 1):
            self.seen.append(self.layout.flatten(state(module)))

    def rows(self, module: nn.Module) -> Tensor:
        """[evaluated, P]; a module that stopped early stays as it was at the end."""
        evaluated = sum(self.training.evaluated(epoch) for epoch in range(1, self.training.epochs + 1))
        missing = evaluated - len(self.seen)
        return torch.stack(self.seen + [self.layout.flatten(state(module))] * missing)


class _Rows(Dataset[tuple[Tensor, Tensor]]):
    """A whole minibatch for the rows of an index."""

    def __init__(self, features: Tensor, targets: Tensor) -> None:
        self.features, self.targets = features, targets

    def __getitem__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self.features[rows], self.targets[rows]


class _Order(Sampler[Tensor]):
    """The minibatches of the next epoch, every time it is read."""

    def __init__(self, batches: ModelBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches.edges) - 1

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.from_numpy(self.batches.epoch())
        return (order[first:last] for first, last in pairwise(self.batches.edges))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's remarks on hardware, and its advice on settings that are the fleet's."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "pytorch_lightning", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"(pytorch_)?lightning")
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"(pytorch_)?lightning|torch\.utils")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
