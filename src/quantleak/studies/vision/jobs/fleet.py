"""The jobs that train: some models of a data set, quantized in every way, and what they were before training ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from quantleak.auditing.block import BlockJob, BlockOutput
from quantleak.auditing.evaluation import Evaluated, Evaluation
from quantleak.auditing.plan import Plan
from quantleak.fleet import Checkpoint
from quantleak.ptq import Elementwise
from quantleak.store import Output
from quantleak.studies.vision.jobs.plans import Plans

Shared = dict[str, Plans]
"""By name of a data set, its plans."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FleetOutput(Output):
    """What some models leave, or all models of a fleet together.

    Attributes:
        block: What the same block of an audit leaves.
        stopped: Signals `[models, epochs, examples, ...]` on the pool of the float models after each epoch of
            `Vision.stopped_at`.
        stopped_population: The same on the population.
        stopped_test: What the utility is computed from, `[models, epochs, examples]` on the test part.
    """

    block: BlockOutput
    stopped: np.ndarray
    stopped_population: np.ndarray
    stopped_test: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[FleetOutput]) -> FleetOutput:
        """All of a fleet, models in order."""
        return cls(
            block=BlockOutput.joined([part.block for part in parts]),
            stopped=np.concatenate([part.stopped for part in parts]),
            stopped_population=np.concatenate([part.stopped_population for part in parts]),
            stopped_test=np.concatenate([part.stopped_test for part in parts]),
        )


@dataclass(frozen=True)
class FleetJob:
    """Train and quantize the models `numbers` of a data set."""

    output: ClassVar[type[FleetOutput]] = FleetOutput

    data: str
    numbers: tuple[int, ...]
    stopped_at: tuple[int, ...]
    gpus: int = 0

    @property
    def resources(self) -> dict[str, int]:
        """What an engine should set aside for it; see :data:`quantleak.engines.engine.Job`."""
        return {"gpus": self.gpus} if self.gpus else {}

    def __call__(self, shared: Shared) -> FleetOutput:
        """Signals and rates of every model under every quantizer, and of the float models on the way."""
        plan = shared[self.data].quantized
        evaluation = Evaluation(plan, torch.device(plan.settings.device))
        seen: list[Evaluated] = []

        def watch(checkpoint: Checkpoint) -> None:
            if checkpoint.epoch in self.stopped_at:
                seen.append(dict(evaluation.batched([_baseline(plan)], checkpoint.flat))[plan.baseline])

        block = BlockJob(self.numbers, self.gpus).run(plan, watch)
        return FleetOutput(
            block=block,
            stopped=np.stack([one.pool for one in seen], axis=1) if seen else block.pool[:, :0],
            stopped_population=np.stack([one.population for one in seen], axis=1) if seen else block.population[:, :0],
            stopped_test=np.stack([one.test for one in seen], axis=1) if seen else block.test[:, :0],
        )


@dataclass(frozen=True)
class SmallerJob:
    """Train the models `numbers` of the small float networks of a data set."""

    output: ClassVar[type[BlockOutput]] = BlockOutput

    data: str
    numbers: tuple[int, ...]
    gpus: int = 0

    @property
    def resources(self) -> dict[str, int]:
        """What an engine should set aside for it; see :data:`quantleak.engines.engine.Job`."""
        return {"gpus": self.gpus} if self.gpus else {}

    def __call__(self, shared: Shared) -> BlockOutput:
        """Signals of every model."""
        return BlockJob(self.numbers, self.gpus)(shared[self.data].smaller)


def _baseline(plan: Plan) -> Elementwise:
    found = plan.procedures[plan.baseline]
    assert isinstance(found, Elementwise)
    return found
