"""What final models answer on the parts of the data on which anything is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.arrays import read_only_tensor
from quantleak.auditing.measures.signals import are_probabilities, logits_read, signal, utility_statistic
from quantleak.auditing.one_by_one import quantized
from quantleak.auditing.plan import Plan
from quantleak.fleet import Predictor, predictions
from quantleak.models import IDENTITY, View, view
from quantleak.ptq import Elementwise, Procedure

QUERIED = ("pool", "population", "calibration")
"""Parts of the data whose examples attacks read signals of."""
PARTS = (*QUERIED, "test")
Outputs = Callable[[str, View], Float[Tensor, "models examples outputs"]]
"""Outputs of some models on a part of the data, seen in one way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """What is kept of some final models under one quantizer.

    Attributes:
        pool: Signals `[models, examples]` float64, or `[models, examples, queries]` of several queries.
        population: The same on the population.
        held_out: The same on the part that is there for calibration only.
        test: What the utility is computed from, `[models, examples]` on the test part.
        training: The same on the pool.
        read: What fidelity is computed from, `[models, examples]` on the population.
        probabilities: Whether all outputs on pool and population could be probabilities.
    """

    pool: np.ndarray
    population: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    training: np.ndarray
    read: np.ndarray
    probabilities: bool

    @classmethod
    def joined(cls, models: Sequence[Evaluated]) -> Evaluated:
        """Several models one after another."""
        arrays = {
            field.name: np.concatenate([getattr(each, field.name) for each in models])
            for field in fields(cls)
            if field.name != "probabilities"
        }
        return cls(**arrays, probabilities=all(each.probabilities for each in models))


class Evaluation:
    """Evaluates models of a plan, so few at a time that not all quantized copies are ever in memory.

    Args:
        plan: Of the audit.
        device: Where it is computed.
    """

    def __init__(self, plan: Plan, device: torch.device) -> None:
        self.plan = plan
        self.views = {name: view(name) for name in dict.fromkeys((IDENTITY, *plan.queries))}
        self.targets = {part: plan.part(part)[1] for part in PARTS}
        self.predictors = {
            part: Predictor(plan.network, read_only_tensor(plan.part(part)[0]).to(device)) for part in PARTS
        }

    def batched(self, procedures: Sequence[Elementwise], flat: Tensor) -> Iterator[tuple[str, Evaluated]]:
        """All models `[models, P]` under each procedure, one procedure after another."""
        for one in procedures:
            yield one.spec, self._of(partial(self._batched, one.quantize_flat(self.plan.network.layout, flat)))

    def one_by_one(
        self, procedures: Sequence[Procedure], numbers: Sequence[int], flat: Tensor
    ) -> tuple[dict[str, Evaluated], dict[str, float]]:
        """The same for procedures that take one model at a time, and effective bits of the first model under each."""
        found: dict[str, list[Evaluated]] = {one.spec: [] for one in procedures}
        bits: dict[str, float] = {}
        for number, one in zip(numbers, flat, strict=True) if procedures else ():
            made = quantized(self.plan, procedures, number, one)
            for procedure in procedures:
                module = made.pop(procedure.spec)
                bits.setdefault(procedure.spec, procedure.effective_bits(module, self.plan.network.constants))
                found[procedure.spec].append(self._of(partial(self._single, module)))
        return {spec: Evaluated.joined(each) for spec, each in found.items()}, bits

    def _batched(self, flat: Tensor, part: str, look: View) -> Tensor:
        return self.predictors[part](flat, look)

    def _single(self, module: nn.Module, part: str, look: View) -> Tensor:
        return predictions(lambda examples: module(look(examples)), self.predictors[part].features)[None]

    def _of(self, outputs: Outputs) -> Evaluated:
        task, targets = self.plan.dataset.task, self.targets
        signals: dict[str, np.ndarray] = {}
        plain: dict[str, np.ndarray] = {}
        for part in QUERIED:
            if not len(targets[part]):
                signals[part] = signals["pool"][:, :0]
                continue
            found = {name: outputs(part, look).cpu().numpy() for name, look in self.views.items()}
            plain[part] = found[IDENTITY]
            each = [signal(found[name], targets[part], task) for name in self.plan.queries]
            signals[part] = each[0] if len(each) == 1 else np.stack(each, axis=-1)
        return Evaluated(
            pool=signals["pool"],
            population=signals["population"],
            held_out=signals["calibration"],
            test=utility_statistic(outputs("test", self.views[IDENTITY]).cpu().numpy(), targets["test"], task),
            training=utility_statistic(plain["pool"], targets["pool"], task),
            read=logits_read(plain["population"], targets["population"], task),
            probabilities=all(are_probabilities(torch.from_numpy(plain[part]), task) for part in QUERIED[:2]),
        )
