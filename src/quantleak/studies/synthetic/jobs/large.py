"""r_Q as the number of validation examples grows: P is known here, so N has no limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantleak.data import Sample
from quantleak.fleet import TRAINERS, Block
from quantleak.models import Network
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED, Arrays, fresh_fleet, own_sample, rounded, sample, tensors
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose, Synthetic
from quantleak.theory import privacy_rate
from quantleak.trajectory.recorder import Recorder, validation_losses

FIRST = 300
_ELEMENTS, _EXAMPLES = 128, 1000  # of which losses are computed at a time, so that they stay in cache


@dataclass(frozen=True)
class LargeJob:
    """r_Q of the first models of one distribution at several N, the validation sets nested."""

    study: Synthetic
    distribution: Distribution

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """`r_q` and `z` `[models, 8, sizes]`, and the `sizes`."""
        start = time.perf_counter()
        models = range(self.study.large_models)
        own = [own_sample(self.study, self.distribution, model) for model in models]
        block = fresh_fleet(self.study, own, 0, self.distribution).blocks()[0]
        sizes = sizes_up_to(self.study.large_validation)
        parts = self._parts(block.fleet.network)
        found = np.empty((2, len(models), len(QUANTIZED), len(sizes)))
        room = torch.empty(self.study.epochs * self.study.large_validation)
        for model, elements in enumerate(self._elements(block)):
            for place, visited in enumerate(elements):
                table = room[: len(visited) * self.study.large_validation].view(len(visited), -1)
                for columns, losses in zip(table.split(_EXAMPLES, 1), parts, strict=True):
                    for rows, some in zip(columns.split(_ELEMENTS), visited.split(_ELEMENTS), strict=True):
                        rows.copy_(losses(some))
                rates = [privacy_rate(table[:, :size]) for size in sizes]
                found[:, model, place] = [[rate.value for rate in rates], [rate.z for rate in rates]]
        return {"r_q": found[0], "z": found[1], "sizes": np.array(sizes)}, {"seconds": time.perf_counter() - start}

    def _parts(self, net: Network) -> list[Callable[[Tensor], Tensor]]:
        """The losses of elements on the large validation set, a function for every so many examples."""
        features, labels = tensors(sample(self.study, self.distribution, Purpose.LARGE))
        pieces = zip(features.split(_EXAMPLES), labels.split(_EXAMPLES), strict=True)
        return [validation_losses(net, "binary", *piece) for piece in pieces]

    def _elements(self, block: Block) -> list[list[Tensor]]:
        """By model, each quantizer's distinct elements; losses on a handful of examples only."""
        few = sample(self.study, self.distribution, Purpose.VALIDATION)
        some = Sample(features=few.features[:2], labels=few.labels[:2])
        losses = validation_losses(block.fleet.network, "binary", *tensors(some))
        followed = [rounded(spec) for spec in QUANTIZED]
        recorder = Recorder(losses, block.layout, followed, len(block.models), keep_vectors=True)
        for checkpoint in TRAINERS["compiled"].train(block):
            recorder.update(checkpoint.flat)
        return [[elements.float() for elements, _ in tables.values()] for tables in recorder.tables()]


def sizes_up_to(largest: int) -> list[int]:
    """300, 1,000, 3,000, ... up to `largest`.

    Example:
        >>> sizes_up_to(10_000)
        [300, 1000, 3000, 10000]
    """
    sizes = [FIRST]
    while (following := sizes[-1] * 10 // 3 if str(sizes[-1])[0] == "3" else sizes[-1] * 3) <= largest:
        sizes.append(following)
    return sizes
