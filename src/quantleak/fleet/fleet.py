"""A fleet: many models of one network, each trained on its own rows of one pool of examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.fleet.batches import ModelBatches, Rows, steps_per_epoch
from quantleak.fleet.objective import Task, target_dtype
from quantleak.fleet.training import Training
from quantleak.models import Network
from quantleak.ptq.modules.layout import Layout
from quantleak.rng import Stream, model_stream, torch_seed


@dataclass(frozen=True)
class Checkpoint:
    """The models of a block after `epoch` epochs: `flat` `[models, P]` float32, laid out by the network's layout."""

    epoch: int
    flat: Float[Tensor, "models parameters"]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is trained, on what, and how.

    Attributes:
        network: The family of models.
        task: Decides the loss.
        features: `[examples, *input_shape]` float32.
        targets: `[examples]`, class numbers, or standardised values for regression.
        members: For each model the rows it is trained on.
        training: Settings of the learning algorithm.
        seed: Every model's streams derive from it and the model's number.
        block: Models trained side by side. Part of the plan: a model's last bits may depend on the models beside it
            (matrix products round differently by size), never on workers, order or interruption.

    Raises:
        InputError: A model without members or with rows outside the examples, or features that do not fit the network
            or the augmentation.
    """

    network: Network
    task: Task
    features: Tensor
    targets: Tensor
    members: tuple[Rows, ...]
    training: Training
    seed: int = 0
    block: int = 32

    def __post_init__(self) -> None:
        empty = [number for number, rows in enumerate(self.members) if len(rows) == 0]
        if empty:
            raise InputError(f"Models {empty[:5]} have no training examples; every model needs at least one.")
        outside = [m for m, rows in enumerate(self.members) if rows.min() < 0 or rows.max() >= len(self.features)]
        if outside:
            raise InputError(
                f"Models {outside[:5]} have rows outside the {len(self.features)} examples; rows are counted from 0."
            )
        if tuple(self.features.shape[1:]) != self.network.input_shape:
            raise InputError(
                f"One example has shape {tuple(self.features.shape[1:])}, but model '{self.network.spec}' "
                f"was made for {self.network.input_shape}."
            )
        self.training.augment.require(self.network.input_shape)

    @property
    def steps(self) -> int:
        """Optimizer steps an epoch, the same for every model."""
        return steps_per_epoch(self.members, self.training.batch)

    def blocks(self) -> list[Block]:
        """The fleet in the blocks of its plan."""
        numbers = range(len(self.members))
        return [Block(self, tuple(numbers[start : start + self.block])) for start in numbers[:: self.block]]


@dataclass(frozen=True)
class Block:
    """Some models of a fleet, by number."""

    fleet: Fleet
    models: tuple[int, ...]

    def batches(self) -> list[ModelBatches]:
        """The minibatch stream of each model, at its beginning."""
        return [
            ModelBatches(self.fleet.members[m], self.fleet.steps, model_stream(self.fleet.seed, Stream.BATCHES, m))
            for m in self.models
        ]

    def start_seed(self, model: int) -> int:
        """The seed of a model's initial parameters."""
        return torch_seed(self.fleet.seed, Stream.START, model)

    def modules(self) -> list[nn.Module]:
        """The untrained modules, one per model, on the device."""
        return [self.fleet.network.module(self.start_seed(m)).to(self.device) for m in self.models]

    def start(self) -> Tensor:
        """Initial parameters and buffers, `[models, P]`."""
        return torch.stack([self.fleet.network.start(self.start_seed(m)) for m in self.models]).to(self.device)

    @property
    def layout(self) -> Layout:
        """The layout of the network's flat vector."""
        return self.fleet.network.layout

    @property
    def device(self) -> torch.device:
        """Where the fleet's data lie, and so where it is trained."""
        return self.fleet.features.device

    def data(self) -> tuple[Tensor, Tensor]:
        """Features and targets, the latter in the dtype that the loss reads."""
        return self.fleet.features, self.fleet.targets.to(target_dtype(self.fleet.task))


@runtime_checkable
class Trainer(Protocol):
    """The one protocol of all trainers: the same block gives the same weights up to rounding, whoever trains it.

    Attributes:
        name: By which it is chosen.
        one_by_one: Whether models are trained one after another and a model's bits do not depend on those beside it,
            so that a block may as well hold one model.
    """

    name: str
    one_by_one: bool

    def refuses(self, block: Block) -> str | None:
        """Why this trainer cannot train the block, or None if it can."""

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train, handing over a checkpoint after every evaluated epoch."""


def rows_of(member: np.ndarray) -> tuple[Rows, ...]:
    """The rows of each model of a membership matrix `member[model, example]`."""
    return tuple(np.flatnonzero(row).astype(np.int64) for row in member)
