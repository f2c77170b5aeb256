"""The paper's baseline: a discriminator for each distribution and quantizer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantleak.arrays import read_only_tensor
from quantleak.attacks.discriminator import discriminator
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout
from quantleak.studies.synthetic.jobs.fresh import Arrays, cross_entropy, logits, own_sample, rounded
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose, Synthetic


@dataclass(frozen=True)
class BaselineJob:
    """Train and judge one discriminator.

    Attributes:
        study: Its settings.
        distribution: Where the data come from.
        spec: The quantizer.
        models: How many of the trained models it gets.
    """

    study: Synthetic
    distribution: Distribution
    spec: str
    models: int

    def __call__(self, flat: Arrays) -> tuple[Arrays, dict[str, Any]]:
        """Accuracy on each test model, and the LOSS attack's on the same; what the search chose.

        Args:
            flat: By distribution, the trained models `[models, P]`.
        """
        start = time.perf_counter()
        trained = read_only_tensor(flat[self.distribution.name][: self.models])
        net = network("linear?bias=false", (2 * self.study.dimension,), 1)
        final = rounded(self.spec).quantize_flat(Layout.of(net.module(seed=0)), trained)
        own = [own_sample(self.study, self.distribution, model) for model in range(len(final))]
        features = np.stack([one.features for one in own])
        labels = np.stack([one.labels for one in own])
        outputs = np.stack([logits(net, final[i : i + 1, None], one)[0, 0] for i, one in enumerate(own)])
        found = discriminator(
            final.numpy(),
            features,
            labels.astype(np.float64),
            cross_entropy(outputs, labels),
            np.tile(np.arange(labels.shape[1]) < self.study.examples, (len(own), 1)),
            seed=int(self.distribution.random(Purpose.BASELINE).integers(1 << 31)),
        )
        arrays = {
            "accuracy": found.per_model.accuracy,
            "loss_accuracy": found.per_model.loss_accuracy,
            "models": np.asarray(found.split.test),
        }
        return arrays, {"seconds": time.perf_counter() - start, "chosen": found.to_dict()["chosen"]}
