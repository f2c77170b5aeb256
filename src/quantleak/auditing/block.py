"""The job of one block of models: train, follow the trajectory of every quantizer, evaluate the final models."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from quantleak.arrays import read_only_tensor
from quantleak.auditing.evaluation import Evaluation
from quantleak.auditing.measures.signals import are_probabilities, fidelities
from quantleak.auditing.one_by_one import Followed
from quantleak.auditing.plan import Plan
from quantleak.errors import InputError
from quantleak.fleet import Block, Checkpoint, Predictor, trainer
from quantleak.ptq import Elementwise
from quantleak.store import Output
from quantleak.theory import Rate
from quantleak.trajectory.recorder import Recorder, validation_losses

CERTIFICATES = 2
"""Models of a block whose certificates are looked at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockOutput(Output):
    """What a block of models leaves, or all blocks of a fleet together.

    Attributes:
        pool: Signals `[models, quantizers, examples]` float64: log odds of the true label, or the residual for
            regression; `[models, quantizers, examples, queries]` where several queries are made of each example.
        population: The same on the population.
        held_out: The same on the part that is there for calibration only.
        test: What the utility is computed from, `[models, quantizers, examples]` on the test part.
        training: The same of the full-precision models on the pool, `[models, examples]`.
        bits: By quantizer, effective bits per number.
        fidelity: Correlation `[models, quantizers]` of a quantized model's outputs on the population with the
            original's; see :func:`~quantleak.theory.fidelity.fidelity`.
        rates: By quantizer that has an r_Q, `r_q` and `cramer` of each model.
        certificates: By quantizer, where the certificates of those models start of which it is known; None if nowhere.
        seconds: Time spent.
    """

    pool: np.ndarray
    population: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    training: np.ndarray
    bits: dict[str, float]
    fidelity: np.ndarray
    rates: dict[str, list[dict[str, Rate]]]
    certificates: dict[str, list[int | None]]
    seconds: float

    @classmethod
    def joined(cls, blocks: Sequence[BlockOutput]) -> BlockOutput:
        """All blocks of a fleet, models in order; signals of one quantizer lie contiguous in memory."""
        specs = blocks[0].rates
        return cls(
            pool=_by_quantizer([block.pool for block in blocks]),
            population=_by_quantizer([block.population for block in blocks]),
            held_out=_by_quantizer([block.held_out for block in blocks]),
            test=_by_quantizer([block.test for block in blocks]),
            training=np.concatenate([block.training for block in blocks]),
            bits=blocks[0].bits,
            fidelity=np.concatenate([block.fidelity for block in blocks]),
            rates={spec: [model for block in blocks for model in block.rates[spec]] for spec in specs},
            certificates={spec: [start for block in blocks for start in block.certificates[spec]] for spec in specs},
            seconds=sum(block.seconds for block in blocks),
        )


def _by_quantizer(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks `[models, quantizers, ...]` one after another, in memory quantizer by quantizer."""
    turned = [block.swapaxes(0, 1) for block in blocks]
    quantizers, _, *rest = turned[0].shape
    whole = np.empty((quantizers, sum(map(len, blocks)), *rest), blocks[0].dtype)
    return np.concatenate(turned, axis=1, out=whole).swapaxes(0, 1)


@dataclass(frozen=True)
class BlockJob:
    """Train the models `numbers` of a plan; the result is a function of the plan and these numbers alone."""

    output: ClassVar[type[BlockOutput]] = BlockOutput

    numbers: tuple[int, ...]
    gpus: int = 0

    @property
    def resources(self) -> dict[str, int]:
        """What an engine should set aside for it; see :data:`quantleak.engines.engine.Job`."""
        return {"gpus": self.gpus} if self.gpus else {}

    def __call__(self, plan: Plan) -> BlockOutput:
        """Signals and rates of every model under every quantizer."""
        return self.run(plan, lambda checkpoint: None)

    def run(self, plan: Plan, watch: Callable[[Checkpoint], None]) -> BlockOutput:
        """The same, with a look at the models after every evaluated epoch.

        Args:
            plan: Of the audit.
            watch: Called with each checkpoint, in order.
        """
        start = time.perf_counter()
        block = Block(plan.fleet(), self.numbers)
        procedures = plan.procedures
        batched = [one for one in procedures.values() if isinstance(one, Elementwise)]
        single = [one for one in procedures.values() if not isinstance(one, Elementwise)]
        recorder = self._recorder(plan, block, [one for one in batched if one.no_rate is None])
        followed = [Followed(plan, one, self.numbers) for one in single if one.no_rate is None]
        try:
            for checkpoint in trainer(plan.settings.trainer, block).train(block):
                watch(checkpoint)
                recorder.update(checkpoint.flat)
                for one in followed:
                    one.update(checkpoint.flat)
        except InputError as error:
            raise InputError(f"Models {self.numbers[0]} to {self.numbers[-1]}: {error}") from error
        evaluation = Evaluation(plan, block.device)
        found = dict(evaluation.batched(batched, checkpoint.flat))
        if found[plan.baseline].probabilities:
            self._require_logits(plan, block)
        others, bits = evaluation.one_by_one(single, self.numbers, checkpoint.flat)
        each = [(found | others)[spec] for spec in procedures]
        plain, constants = plan.network.module(seed=0), plan.network.constants
        # Rates come last: they close the trajectories, of which certificates need the losses.
        certificates = recorder.certificates(CERTIFICATES)
        certificates |= {one.procedure.spec: one.certificates(CERTIFICATES) for one in followed}
        rates = recorder.rates() | {one.procedure.spec: one.rates() for one in followed}
        return BlockOutput(
            pool=np.stack([one.pool for one in each], axis=1),
            population=np.stack([one.population for one in each], axis=1),
            held_out=np.stack([one.held_out for one in each], axis=1),
            test=np.stack([one.test for one in each], axis=1),
            training=found[plan.baseline].training,
            bits=bits | {one.spec: one.effective_bits(plain, constants) for one in batched},
            fidelity=fidelities([one.read for one in each]),
            certificates=certificates,
            rates={spec: [{"r_q": one.r_q, "cramer": one.cramer} for one in models] for spec, models in rates.items()},
            seconds=time.perf_counter() - start,
        )

    def _recorder(self, plan: Plan, block: Block, quantizers: list[Elementwise]) -> Recorder:
        features, targets = (read_only_tensor(part) for part in plan.part("validation"))
        losses = validation_losses(plan.network, plan.dataset.task, features.to(block.device), targets)
        return Recorder(losses, block.layout, quantizers, len(self.numbers))

    def _require_logits(self, plan: Plan, block: Block) -> None:
        """Refuse trained models whose outputs can only be probabilities, if those of untrained ones can be too."""
        start: Tensor = block.start()
        for part in ("pool", "population"):
            features = read_only_tensor(plan.part(part)[0]).to(start.device)
            if not are_probabilities(Predictor(plan.network, features)(start), plan.dataset.task):
                return
        raise InputError(
            f"Model '{plan.network.spec}' seems to return probabilities: every output of every model, trained "
            "and untrained, lies between 0 and 1. Return logits: leave out the last sigmoid or softmax; a "
            "LightningModule then trains with binary_cross_entropy_with_logits or cross_entropy."
        )
