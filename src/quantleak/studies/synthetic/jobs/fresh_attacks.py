"""Attacks on models that each have fresh data: LOSS, and LiRA offline, for which every other model is OUT."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantleak.arrays import read_only_tensor
from quantleak.attacks import LiRA, lira, phi_binary
from quantleak.attacks.evaluation.threshold import crossfit_thresholds
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout
from quantleak.studies.synthetic.jobs.fresh import Arrays, logits, own_sample, quantized, together
from quantleak.studies.synthetic.jobs.settings import Distribution, Synthetic

OFFLINE = {
    "lira-offline": LiRA(mode="offline"),
    "lira-offline-two-sided": LiRA(mode="offline", tail="two"),
}
_SHADOWS = 128  # the variance of a LiRA fit falls no further; more only cost
_TARGETS = 16  # attacked at once, with the same shadows


@dataclass(frozen=True)
class FreshAttackJob:
    """Attack every model of one distribution under every quantizer.

    Attributes:
        study: Its settings.
        distribution: Where the data come from.
    """

    study: Synthetic
    distribution: Distribution

    def __call__(self, flat: Arrays) -> tuple[Arrays, dict[str, Any]]:
        """By attack, the balanced accuracy on each model `[models, 9]`, its threshold chosen on other models.

        LiRA's shadows are quantized like the target (adaptive), at most 128 of the other models, the same for up to 16
        targets.

        Args:
            flat: By distribution, the trained models `[models, P]`.
        """
        start = time.perf_counter()
        member = np.arange(2 * self.study.examples) < self.study.examples
        parts = list(self._scores(read_only_tensor(flat[self.distribution.name])))
        stacked = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {name: _accuracy(values, member) for name, values in stacked.items()}, {
            "seconds": time.perf_counter() - start
        }

    def _scores(self, flat: Tensor) -> Iterator[dict[str, np.ndarray]]:
        """Of some models in turn, by attack, scores `[targets, quantizers, 2 n]`."""
        net = network("linear?bias=false", (2 * self.study.dimension,), 1)
        final = quantized(Layout.of(net.module(seed=0)), flat)  # [models, quantizers, P]
        models = len(final)
        width = max(1, min(_TARGETS, models // 10))
        for first in range(0, models, width):
            targets = np.arange(first, min(first + width, models))
            others = (targets[-1] + 1 + np.arange(min(_SHADOWS, models - len(targets)))) % models
            own = together([own_sample(self.study, self.distribution, int(target)) for target in targets])
            outputs = logits(net, final[torch.from_numpy(np.concatenate([targets, others]))], own)
            signals = phi_binary(outputs, own.labels)  # [targets + shadows, quantizers, targets * 2 n]
            yield _attacked(signals, len(targets))


def _attacked(signals: np.ndarray, targets: int) -> dict[str, np.ndarray]:
    """By attack, scores of each target on its own examples, `[targets, quantizers, 2 n]`.

    Args:
        signals: phi of the targets and then the shadows, on the examples of all targets one after another.
        targets: How many.
    """
    models, quantizers, examples = signals.shape
    own = signals[:targets].reshape(targets, quantizers, targets, -1)
    on_own = own[np.arange(targets), :, np.arange(targets)]  # each target's on its own examples
    flat = on_own.transpose(1, 0, 2).reshape(quantizers, -1)
    # Models last in memory, as LiRA wants them: turned once for all conventions.
    shadows = np.ascontiguousarray(signals[targets:].transpose(1, 2, 0)).transpose(0, 2, 1)
    out = np.zeros((examples, models - targets), dtype=bool).T
    found = {"loss": on_own}  # ln p of the true label rises with phi
    for name, convention in OFFLINE.items():
        each = np.stack([lira(s, t, out, convention=convention) for s, t in zip(flat, shadows, strict=True)])
        found[name] = each.reshape(quantizers, targets, -1).transpose(1, 0, 2)
    return found


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
