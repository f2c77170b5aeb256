"""The mixture with a perceptron: what r_Q says of it as N grows, and what every attack finds."""

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
from quantleak.fleet import TRAINERS, Adam, Fleet, Training, rows_of
from quantleak.models import Network, network
from quantleak.quantizers import BASELINE, PAPER_A
from quantleak.studies.common.true_negatives import true_negatives
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED, Arrays, logits, quantized, rounded, sample, tensors
from quantleak.studies.synthetic.jobs.large import sizes_up_to
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose, Synthetic
from quantleak.theory import fidelity, rates
from quantleak.trajectory.recorder import Recorder, validation_losses

_EXAMPLES = 2000  # of which losses are computed at a time, so that hidden layers stay in cache


@dataclass(frozen=True)
class PerceptronJob:
    """Train a fleet of perceptrons on random halves of one pool, attack it, and follow some of its models.

    Attributes:
        study: Its settings.
        distribution: Where the data come from.
    """

    study: Synthetic
    distribution: Distribution

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """Rates, free scores and attacks.

        Returns:
            `r_q`, `cramer` and `z` `[followed, 8, sizes]` and the `sizes` of the validation sets, which are nested; of
            all models `fidelity` and `true_negatives` (of LOSS at a TPR of 0.99) `[models, 8]`; of those followed
            `elements` `[followed, 8]`; and `attack/<spec>|<attack>/<mode>`, the balanced accuracy `[models]`.
        """
        start = time.perf_counter()
        pool = sample(self.study, self.distribution, Purpose.POOL)
        seed = int(self.distribution.random(Purpose.POOL, 2).integers(1 << 31))
        member = membership(self.study.perceptron_models, np.arange(len(pool.labels)), seed)
        fleet = self._fleet(pool, member, seed)
        flats, followed = [], []
        for block in fleet.blocks():
            wanted = max(0, min(len(block.models), self.study.perceptron_followed - block.models[0]))
            recorder = Recorder(self._few_losses(fleet.network), block.layout, _followed(), wanted, keep_vectors=True)
            for checkpoint in TRAINERS["stacked"].train(block):
                if wanted:
                    recorder.update(checkpoint.flat[:wanted])
            flats.append(checkpoint.flat)
            followed += [[one.float() for one, _ in tables.values()] for tables in recorder.tables()] if wanted else []
        final = quantized(fleet.blocks()[0].layout, torch.cat(flats))
        kept = self._rates(fleet.network, followed) | self._attacked(fleet.network, final, pool, member, seed)
        return kept, {"seconds": time.perf_counter() - start}

    def _fleet(self, pool: Sample, member: np.ndarray, seed: int) -> Fleet:
        features, labels = tensors(pool)
        training = Training(
            epochs=self.study.perceptron_epochs, batch=self.study.batch, optimizer=Adam(learning_rate=1e-3)
        )
        return Fleet(
            network=network(f"mlp:{self.study.perceptron_hidden}", features.shape[1:], 1),
            task="binary",
            features=features,
            targets=labels,
            members=rows_of(member),
            training=training,
            seed=seed,
            block=self.study.block,
        )

    def _few_losses(self, net: Network) -> Any:
        """The losses on a handful of examples, for distinct models are told apart by their weights."""
        few = sample(self.study, self.distribution, Purpose.VALIDATION)
        return validation_losses(net, "binary", *tensors(Sample(features=few.features[:2], labels=few.labels[:2])))

    def _rates(self, net: Network, followed: list[list[Tensor]]) -> Arrays:
        features, labels = tensors(sample(self.study, self.distribution, Purpose.LARGE))
        pieces = zip(features.split(_EXAMPLES), labels.split(_EXAMPLES), strict=True)
        parts = [validation_losses(net, "binary", *piece) for piece in pieces]
        sizes = sizes_up_to(self.study.large_validation)
        found = np.empty((3, len(followed), len(QUANTIZED), len(sizes)))
        for model, elements in enumerate(followed):
            for place, visited in enumerate(elements):
                table = torch.cat([losses(visited) for losses in parts], dim=1)
                each = [rates(table[:, :size]) for size in sizes]
                found[:, model, place] = [
                    [one.r_q.value for one in each],
                    [one.cramer.value for one in each],
                    [one.r_q.z for one in each],
                ]
        counts = np.array([[len(visited) for visited in elements] for elements in followed], dtype=np.float64)
        return {"r_q": found[0], "cramer": found[1], "z": found[2], "sizes": np.array(sizes), "elements": counts}

    def _attacked(self, net: Network, final: Tensor, pool: Sample, member: np.ndarray, seed: int) -> Arrays:
        population = sample(self.study, self.distribution, Purpose.POPULATION)
        signals = dict(zip(PAPER_A, _signals(net, final, pool, population), strict=True))
        inputs = AttackInputs(
            targets=signals,
            shadows=signals,
            pairing=LeaveOneOut(member=member, seed=seed),
            baseline=BASELINE,
            groups=np.arange(len(pool.labels)),
            task="binary",
            level=0.95,
        )
        fresh = torch.from_numpy(logits(net, final, sample(self.study, self.distribution, Purpose.VALIDATION)))
        count = len(QUANTIZED)
        found: Arrays = {
            "fidelity": fidelity(fresh[:, :count], fresh[:, count:]).numpy(),
            "true_negatives": np.stack([true_negatives(signals[spec].pool, member) for spec in QUANTIZED], axis=1),
        }
        for spec in PAPER_A:
            columns = AttackJob(spec)(inputs).columns
            kept = {name: values for name, values in columns.items() if name.endswith("/balanced_accuracy")}
            found |= {f"attack/{spec}|{name.removesuffix('/balanced_accuracy')}": v for name, v in kept.items()}
        return found


def _followed() -> list[Any]:
    return [rounded(spec) for spec in QUANTIZED]


def _signals(net: Network, final: Tensor, pool: Sample, population: Sample) -> Iterator[Signals]:
    on_pool, outside = (phi_binary(logits(net, final, part), part.labels) for part in (pool, population))
    for number in range(len(PAPER_A)):
        yield Signals(pool=on_pool[:, number], population=outside[:, number])
