"""Quantizes the models of a block one by one: procedures that cannot take many models at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from quantleak.arrays import read_only_tensor
from quantleak.auditing.plan import Plan
from quantleak.fleet import LOSSES, predictions, target_dtype
from quantleak.ptq import Noise, Procedure, dequantized, digest
from quantleak.rng import Stream, torch_seed
from quantleak.theory import Rates, rates
from quantleak.trajectory.trajectory import Trajectory

_MEMORY = 1 << 30  # bytes of losses of a block in memory


def quantized(plan: Plan, procedures: Sequence[Procedure], number: int, flat: Tensor) -> dict[str, nn.Module]:
    """One trained model `[P]` under several procedures, by spec, each calibrated as the plan says.

    Noise as large as the error of a quantizer that is among them, or of several sizes, is drawn around one and the same
    quantized model.
    """
    seed = torch_seed(plan.settings.seed, Stream.QUANTIZE, number)
    model = plan.network.rebuilt(flat).eval()
    made: dict[str, nn.Module] = {}
    wrapped: dict[str, nn.Module] = {}
    read: dict[tuple[str, int], Tensor] = {}

    def calibration(spec: str) -> Tensor | None:
        what = plan.calibration.read.get(spec)
        if what is None:
            return None
        if what not in read:
            read[what] = plan.calibration.inputs(*what, number).to(flat.device)
        return read[what]

    # Noise last: what it is as large as may be there by then.
    for one in sorted(procedures, key=lambda one: isinstance(one, Noise)):
        if not isinstance(one, Noise):
            made[one.spec] = dequantized(one.quantize(model, calibration(one.spec), seed))
            continue
        if one.quantizer not in wrapped:
            there = made.get(one.quantizer)
            again = one.wrapped.quantize(model, calibration(one.spec), seed) if there is None else there
            wrapped[one.quantizer] = again
        made[one.spec] = one.around(model, wrapped[one.quantizer], seed)
    return made


class Followed:
    """The trajectory of some models of a plan under one procedure that has an r_Q.

    Args:
        plan: Of the audit.
        procedure: What quantizes.
        numbers: Numbers of the models.
    """

    def __init__(self, plan: Plan, procedure: Procedure, numbers: tuple[int, ...]) -> None:
        self.plan, self.procedure, self.numbers = plan, procedure, numbers
        self._trajectory = Trajectory(len(numbers), keep_vectors=False, memory=_MEMORY)

    def update(self, flat: Tensor) -> None:
        """Follow the models `[models, P]` after one more evaluated epoch."""
        for model, (number, one) in enumerate(zip(self.numbers, flat, strict=True)):
            module = quantized(self.plan, [self.procedure], number, one)[self.procedure.spec]
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
        features, targets = (read_only_tensor(part) for part in self.plan.part("validation"))
        outputs = predictions(module, features.to(device)).cpu()
        return LOSSES[task](outputs[None], targets.to(target_dtype(task)))[0]
