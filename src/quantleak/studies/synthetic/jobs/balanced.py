"""A second fleet of each distribution, on random halves of one pool: for attacks that need IN shadows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantleak.attacks import LeaveOneOut, Signals, phi_binary
from quantleak.auditing.attacks import AttackInputs, AttackJob
from quantleak.data import Sample, membership
from quantleak.fleet import rows_of
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout
from quantleak.quantizers import BASELINE, PAPER_A
from quantleak.studies.synthetic.jobs.fresh import Arrays, fleet, logits, quantized, sample, trained
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose, Synthetic


@dataclass(frozen=True)
class BalancedJob:
    """Train the balanced fleet of one distribution and run every attack of an audit on it.

    Attributes:
        study: Its settings.
        distribution: Where the pool comes from.
    """

    study: Synthetic
    distribution: Distribution

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """By quantizer and attack, `<spec>|<attack>/<mode>`: the balanced accuracy on each model `[models]`."""
        start = time.perf_counter()
        pool = sample(self.study, self.distribution, Purpose.POOL)
        groups = np.arange(len(pool.labels))
        seed = int(self.distribution.random(Purpose.POOL, 1).integers(1 << 31))
        member = membership(self.study.balanced_models, groups, seed)
        flat = self._train(pool, member, seed)
        trained = time.perf_counter() - start
        population = sample(self.study, self.distribution, Purpose.POPULATION)
        signals = dict(zip(PAPER_A, self._signals(flat, pool, population), strict=True))
        inputs = AttackInputs(
            targets=signals,
            shadows=signals,
            pairing=LeaveOneOut(member=member, seed=seed),
            baseline=BASELINE,
            groups=groups,
            task="binary",
            level=0.95,
        )
        found: Arrays = {}
        for spec in PAPER_A:
            columns = AttackJob(spec)(inputs).columns
            kept = {name: values for name, values in columns.items() if name.endswith("/balanced_accuracy")}
            found |= {f"{spec}|{name.removesuffix('/balanced_accuracy')}": values for name, values in kept.items()}
        return found, {"trained": trained, "seconds": time.perf_counter() - start}

    def _train(self, pool: Sample, member: np.ndarray, seed: int) -> Tensor:
        blocks = fleet(self.study, pool, rows_of(member), seed).blocks()
        return torch.cat([trained(block) for block in blocks])

    def _signals(self, flat: Tensor, pool: Sample, population: Sample) -> Iterator[Signals]:
        net = network("linear?bias=false", (2 * self.study.dimension,), 1)
        final = quantized(Layout.of(net.module(seed=0)), flat)
        signals = [phi_binary(logits(net, final, part), part.labels) for part in (pool, population)]
        for number in range(len(PAPER_A)):
            yield Signals(pool=signals[0][:, number], population=signals[1][:, number])
