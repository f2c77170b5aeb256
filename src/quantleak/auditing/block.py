"""The job of one block of models: train, follow the trajectory of every quantizer, evaluate the final models."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from quantleak.attacks import phi, phi_binary
from quantleak.auditing.plan import Plan
from quantleak.errors import InputError
from quantleak.fleet import LOSSES, Block, Predictor, predictions, target_dtype, trainer
from quantleak.ptq import Elementwise, Procedure, dequantized, digest
from quantleak.rng import Stream, model_stream, torch_seed
from quantleak.store import Output
from quantleak.theory import Rate, Rates, fidelity, rates
from quantleak.theory.fidelity import FEWEST
from quantleak.trajectory.recorder import Recorder, validation_losses
from quantleak.trajectory.trajectory import Trajectory

CERTIFICATES = 2
"""Models of a block whose certificates are looked at."""
EVALUATED = ("pool", "population", "test")
"""Parts of the data on which final models are evaluated."""
SUM_TOLERANCE = 1e-3
"""How far from 1 the sum of probabilities may be rounded."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockOutput(Output):
    """What a block of models leaves, or all blocks of a fleet together.

    Attributes:
        pool: Signals `[models, quantizers, examples]` float64: log odds of the true label, or the residual for
            regression.
        population: The same on the population.
        test: What the utility is computed from, the same shape on the test part.
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
            test=_by_quantizer([block.test for block in blocks]),
            training=np.concatenate([block.training for block in blocks]),
            bits=blocks[0].bits,
            fidelity=np.concatenate([block.fidelity for block in blocks]),
            rates={spec: [model for block in blocks for model in block.rates[spec]] for spec in specs},
            certificates={spec: [start for block in blocks for start in block.certificates[spec]] for spec in specs},
            seconds=sum(block.seconds for block in blocks),
        )


def _by_quantizer(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks `[models, quantizers, examples]` one after another, in memory quantizer by quantizer."""
    turned = [block.swapaxes(0, 1) for block in blocks]
    quantizers, _, examples = turned[0].shape
    whole = np.empty((quantizers, sum(map(len, blocks)), examples), blocks[0].dtype)
    return np.concatenate(turned, axis=1, out=whole).swapaxes(0, 1)


@dataclass(frozen=True)
class BlockJob:
    """Train the models `numbers` of a plan; the result is a function of the plan and these numbers alone."""

    output: ClassVar[type[BlockOutput]] = BlockOutput

    numbers: tuple[int, ...]

    def __call__(self, plan: Plan) -> BlockOutput:
        """Signals and rates of every model under every quantizer."""
        start = time.perf_counter()
        block = Block(plan.fleet(), self.numbers)
        procedures = plan.procedures
        batched = [one for one in procedures.values() if isinstance(one, Elementwise)]
        others = [OneByOne(plan, one, self.numbers) for one in procedures.values() if one not in batched]
        recorder = self._recorder(plan, block, [one for one in batched if one.no_rate is None])
        try:
            for checkpoint in trainer(plan.settings.trainer, block).train(block):
                recorder.update(checkpoint.flat)
                for other in others:
                    other.update(checkpoint.flat)
        except InputError as error:
            raise InputError(f"Models {self.numbers[0]} to {self.numbers[-1]}: {error}") from error
        self._require_logits(plan, block, checkpoint.flat)
        final: dict[str, Tensor | list[nn.Module]] = {
            one.spec: one.quantize_flat(block.layout, checkpoint.flat) for one in batched
        }
        final |= {other.procedure.spec: other.quantized(checkpoint.flat) for other in others}
        models = [final[spec] for spec in procedures]
        followed = [other for other in others if other.procedure.no_rate is None]
        # Rates come last: they close the trajectories, of which certificates need the losses.
        certificates = recorder.certificates(CERTIFICATES)
        certificates |= {one.procedure.spec: one.certificates(CERTIFICATES) for one in followed}
        found = recorder.rates() | {one.procedure.spec: one.rates() for one in followed}
        outputs = {part: partial(self._outputs, plan, models, part, block.device) for part in EVALUATED}
        targets = {part: plan.part(part)[1] for part in EVALUATED}
        task = plan.dataset.task
        baseline = next(outputs["pool"]())
        return BlockOutput(
            pool=np.stack([signal(each, targets["pool"], task) for each in outputs["pool"]()], axis=1),
            population=np.stack(
                [signal(each, targets["population"], task) for each in outputs["population"]()], axis=1
            ),
            test=np.stack([utility_statistic(each, targets["test"], task) for each in outputs["test"]()], axis=1),
            training=utility_statistic(baseline, targets["pool"], task),
            bits=self._bits(plan, final),
            fidelity=fidelities(outputs["population"](), targets["population"], task),
            certificates=certificates,
            rates={spec: [{"r_q": one.r_q, "cramer": one.cramer} for one in each] for spec, each in found.items()},
            seconds=time.perf_counter() - start,
        )

    def _bits(self, plan: Plan, final: Mapping[str, Tensor | list[nn.Module]]) -> dict[str, float]:
        constants, plain = plan.network.constants, plan.network.module(seed=0)
        models = {spec: plain if isinstance(made, Tensor) else made[0] for spec, made in final.items()}
        return {spec: one.effective_bits(models[spec], constants) for spec, one in plan.procedures.items()}

    def _recorder(self, plan: Plan, block: Block, quantizers: list[Elementwise]) -> Recorder:
        features, targets = (torch.from_numpy(part) for part in plan.part("validation"))
        losses = validation_losses(plan.network, plan.dataset.task, features.to(block.device), targets)
        return Recorder(losses, block.layout, quantizers, len(self.numbers))

    def _require_logits(self, plan: Plan, block: Block, trained: Tensor) -> None:
        """Refuse models whose outputs, trained and untrained, on all examples, can only be probabilities."""
        for flat in (trained, block.start()):
            for part in ("pool", "population"):
                features = torch.from_numpy(plan.part(part)[0]).to(flat.device)
                if not are_probabilities(Predictor(plan.network, features)(flat), plan.dataset.task):
                    return
        raise InputError(
            f"Model '{plan.network.spec}' seems to return probabilities: every output of every model, trained "
            "and untrained, lies between 0 and 1. Return logits: leave out the last sigmoid or softmax; a "
            "LightningModule then trains with binary_cross_entropy_with_logits or cross_entropy."
        )

    def _outputs(
        self, plan: Plan, quantized: list[Tensor | list[nn.Module]], part: str, device: torch.device
    ) -> Iterator[np.ndarray]:
        """Outputs `[models, examples, outputs]` of each quantizer's models, flat vectors or modules, one by one."""
        features = torch.from_numpy(plan.part(part)[0]).to(device)
        predict = Predictor(plan.network, features)
        for models in quantized:
            outputs = (
                predict(models)
                if isinstance(models, Tensor)
                else torch.stack([predictions(module, features) for module in models])
            )
            yield outputs.cpu().numpy()


def are_probabilities(outputs: Float[Tensor, "models examples outputs"], task: str) -> bool:
    """Whether outputs all lie in [0, 1] and, for multiclass, each row sums to 1; outputs that are all 0 do not count.

    An untrained model's logits pass only by a rare chance, for their sign is as random as its weights'.
    """
    inside = task != "regression" and bool(((outputs >= 0) & (outputs <= 1)).all() and outputs.any())
    return inside and (task == "binary" or bool(((outputs.sum(-1) - 1).abs() < SUM_TOLERANCE).all()))


def signal(
    outputs: Float[np.ndarray, "models examples outputs"], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models examples"]:
    """What all attacks are computed from, `[models, examples]` float64: log odds of the true label, or the residual."""
    if task == "regression":
        return np.asarray(outputs[..., 0].astype(np.float64) - targets)
    return phi(outputs, targets) if task == "multiclass" else phi_binary(outputs[..., 0], targets)


def utility_statistic(
    outputs: Float[np.ndarray, "models examples outputs"], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models examples"]:
    """What the utility is computed from, float64: the logit (binary), right or wrong (multiclass), the prediction."""
    if task == "multiclass":
        return np.asarray(outputs.argmax(-1) == targets, dtype=np.float64)
    return np.asarray(outputs[..., 0], dtype=np.float64)


def fidelities(
    outputs: Iterable[Float[np.ndarray, "models examples outputs"]], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models quantizers"]:
    """Fidelity of every model under every quantizer, the first of which is the original; NaN where it has none.

    Read is the logit or prediction, of several outputs the one of the example's label.
    """
    read = [each[..., 0] if task != "multiclass" else each[:, np.arange(len(targets)), targets] for each in outputs]
    if len(targets) < FEWEST:
        return np.full((len(read[0]), len(read)), np.nan)
    return np.stack([fidelity(each, read[0]).numpy() for each in read], axis=1)


_MEMORY = 1 << 30  # bytes of losses of a block in memory


class OneByOne:
    """One procedure on some models of a plan, each calibrated on its own members.

    A model's calibration rows are the first of a random order of its members, which depends on the audit's seed and the
    model alone: a procedure that reads more rows reads those of one that reads fewer too.

    Args:
        plan: Of the audit.
        procedure: What quantizes.
        numbers: Numbers of the models.
    """

    def __init__(self, plan: Plan, procedure: Procedure, numbers: tuple[int, ...]) -> None:
        self.plan, self.procedure, self.numbers = plan, procedure, numbers
        self._trajectory = Trajectory(len(numbers), keep_vectors=False, memory=_MEMORY)

    def quantized(self, flat: Tensor) -> list[nn.Module]:
        """The quantized modules of trained models `[models, P]`."""
        return [self._one(number, one) for number, one in zip(self.numbers, flat, strict=True)]

    def update(self, flat: Tensor) -> None:
        """Follow the models `[models, P]` after one more evaluated epoch, if they have an r_Q."""
        if self.procedure.no_rate is not None:
            return
        for model, module in enumerate(self.quantized(flat)):
            self._trajectory.add(model, digest(module), partial(self._losses, module, flat.device))

    def rates(self) -> list[Rates]:
        """The rates of every model."""
        return self._trajectory.rates()

    def certificates(self, models: int) -> list[int | None]:
        """Where the certificates of the first so many models start; those whose losses prove nothing are left out."""
        tables = islice(self._trajectory.loss_tables(), models)
        found = [rates(losses, certificate=True) for losses in tables]
        return [one.certificate_start for one in found if not math.isnan(one.cramer.value)]

    def _losses(self, module: nn.Module, device: torch.device) -> Tensor:
        """Of a quantized model on the validation part `[N]`."""
        task = self.plan.dataset.task
        features, targets = (torch.from_numpy(part) for part in self.plan.part("validation"))
        outputs = predictions(module, features.to(device)).cpu()
        return LOSSES[task](outputs[None], targets.to(target_dtype(task)))[0]

    def _one(self, number: int, flat: Tensor) -> nn.Module:
        seed, rows = self.plan.settings.seed, self.procedure.calibration_rows
        model = self.plan.network.rebuilt(flat).eval()
        calibration = self._calibration(number, rows).to(flat.device) if rows else None
        made = self.procedure.quantize(model, calibration, torch_seed(seed, Stream.QUANTIZE, number))
        return dequantized(made)

    def _calibration(self, number: int, rows: int) -> Tensor:
        random = np.random.default_rng(model_stream(self.plan.settings.seed, Stream.CALIBRATION, number))
        members = self.plan.parts.pool[self.plan.member[number]]
        return torch.from_numpy(self.plan.features[random.permutation(members)[:rows]])
