"""Quantizes the models of a block one after another, for procedures that have no batched path."""

from __future__ import annotations

import math
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from quantleak.auditing.plan import Plan
from quantleak.fleet import LOSSES, predictions, target_dtype
from quantleak.ptq import Procedure, digest
from quantleak.rng import Stream, model_stream, torch_seed
from quantleak.theory import Rates, rates
from quantleak.trajectory.trajectory import Trajectory

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
        return self.procedure.quantize(model, calibration, torch_seed(seed, Stream.QUANTIZE, number))

    def _calibration(self, number: int, rows: int) -> Tensor:
        random = np.random.default_rng(model_stream(self.plan.settings.seed, Stream.CALIBRATION, number))
        members = self.plan.parts.pool[self.plan.member[number]]
        return torch.from_numpy(self.plan.features[random.permutation(members)[:rows]])
