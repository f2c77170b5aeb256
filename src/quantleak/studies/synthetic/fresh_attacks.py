"""Attacks on models that each have fresh data: LOSS, and LiRA offline, for which every other model is OUT."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from quantleak.attacks import LiRA, lira, phi_binary
from quantleak.attacks.threshold import crossfit_thresholds
from quantleak.fleet import Layout, network
from quantleak.studies.synthetic.fresh import Arrays, logits, own_sample, quantized
from quantleak.studies.synthetic.settings import Distribution, Synthetic

OFFLINE = {
    "lira-offline": LiRA(mode="offline"),
    "lira-offline-two-sided": LiRA(mode="offline", tail="two"),
}
_SHADOWS = 128  # the variance of a LiRA fit falls no further; more only cost


@dataclass(frozen=True)
class FreshAttackJob:
    """Attack every model of one distribution under every quantizer.

    Attributes:
        study: Its settings.
        distribution: Where the data come from.
        flat: The trained models `[models, P]`.
    """

    study: Synthetic
    distribution: Distribution
    flat: np.ndarray = field(repr=False)

    def __call__(self) -> tuple[Arrays, dict[str, Any]]:
        """By attack, the balanced accuracy on each model `[models, 9]`, its threshold chosen on other models.

        LiRA's shadows are quantized like the target (adaptive), at most 128 of the other models.
        """
        start = time.perf_counter()
        member = np.arange(2 * self.study.examples) < self.study.examples
        found: dict[str, list[np.ndarray]] = {name: [] for name in ("loss", *OFFLINE)}
        for scores in self._scores():
            for name, values in scores.items():
                found[name].append(values)
        stacked = {name: np.stack(values) for name, values in found.items()}  # [models, quantizers, 2 n]
        return {name: _accuracy(values, member) for name, values in stacked.items()}, {
            "seconds": time.perf_counter() - start
        }

    def _scores(self) -> Iterator[dict[str, np.ndarray]]:
        """Of each model in turn, by attack, scores `[quantizers, 2 n]`."""
        net = network("linear?bias=false", (2 * self.study.dimension,), 1)
        final = quantized(Layout.of(net.module(seed=0)), torch.from_numpy(self.flat))  # [models, quantizers, P]
        for target in range(len(final)):
            own = own_sample(self.study, self.distribution, target)
            others = (target + 1 + np.arange(min(_SHADOWS, len(final) - 1))) % len(final)
            asked = logits(net, final[torch.from_numpy(np.concatenate([[target], others]))], own)
            signals = phi_binary(asked, own.labels)  # [1 + shadows, quantizers, 2 n]
            out = np.zeros((len(others), signals.shape[2]), dtype=bool)
            found = {"loss": signals[0]}  # ln p of the true label rises with phi
            for name, convention in OFFLINE.items():
                each = [lira(s[0], s[1:], out, convention=convention) for s in signals.transpose(1, 0, 2)]
                found[name] = np.stack(each)
            yield found


def _accuracy(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Balanced accuracy `[models, quantizers]` of scores `[models, quantizers, 2 n]`."""
    models, quantizers, _ = scores.shape
    members = np.tile(member, (models, 1))
    accuracy = np.empty((models, quantizers))
    for number in range(quantizers):
        thresholds = crossfit_thresholds(scores[:, number], members, np.arange(members.shape[1]))
        assert thresholds is not None
        accuracy[:, number] = ((scores[:, number] >= thresholds) == members).mean(1)
    return accuracy
