"""The study's fleets: every model on fresh data, its trajectory followed under the eight quantizers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quantleak.data import Sample
from quantleak.fleet import TRAINERS, Block, Fleet, Predictor
from quantleak.models import Network, network
from quantleak.ptq import Elementwise
from quantleak.ptq.modules.layout import Layout
from quantleak.quantizers import BASELINE, PAPER_A, quantizer
from quantleak.studies.synthetic.jobs.scores import SEARCHED, at_equal_counts, scores, searched_rate
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose, Synthetic
from quantleak.theory import fidelity
from quantleak.theory.gaps import gaps
from quantleak.trajectory.recorder import Recorder, validation_losses

QUANTIZED = tuple(spec for spec in PAPER_A if spec != BASELINE)
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class FreshJob:
    """Train and follow the models `first`, ... of one distribution.

    Attributes:
        study: Its settings.
        distribution: Where the data come from.
        models: Numbers of the models.
        follow: Whether to follow the trajectories; otherwise only the final accuracies are taken.
    """

    study: Synthetic
    distribution: Distribution
    models: tuple[int, ...]
    follow: bool = True

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """What is kept of the block.

        Returns:
            `accuracy` `[models, 9]`, quantizers as in `PAPER_A`. With `follow` also `flat` `[models, P]`, the trained
            models; the two gaps, `fidelity` and `entropy` (bits per weight) `[models, 9]`; for each estimator
            `score/<name>` `[models, 8]`.
        """
        start = time.perf_counter()
        own = [own_sample(self.study, self.distribution, model) for model in self.models]
        block = fresh_fleet(self.study, own, self.models[0], self.distribution).blocks()[0]
        if self.follow:
            arrays = self._followed(block, own)
        else:
            arrays = self._accuracy(block, quantized(block.layout, trained(block)))
        return arrays, {"seconds": time.perf_counter() - start}

    def _accuracy(self, block: Block, final: Tensor) -> Arrays:
        test = sample(self.study, self.distribution, Purpose.TEST)
        return {"accuracy": accuracy(logits(block.fleet.network, final, test), test.labels)}

    def _followed(self, block: Block, own: Sequence[Sample]) -> Arrays:
        validation = sample(self.study, self.distribution, Purpose.VALIDATION)
        flat, found = self._train(block, validation)
        final = quantized(block.layout, flat)
        return {
            "flat": flat.numpy(),
            **self._accuracy(block, final),
            "entropy": entropy(final),
            **self._against(block.fleet.network, final, own, validation),
            **found,
        }

    def _train(self, block: Block, validation: Sample) -> tuple[Tensor, Arrays]:
        losses = validation_losses(block.fleet.network, "binary", *tensors(validation))
        followed = [rounded(spec) for spec in QUANTIZED]
        recorder = Recorder(losses, block.layout, followed, len(self.models), keep_vectors=True)
        for checkpoint in TRAINERS["compiled"].train(block):
            recorder.update(checkpoint.flat)
        return checkpoint.flat, self._scores(recorder, losses)

    def _scores(self, recorder: Recorder, losses: Callable[[Tensor], Tensor]) -> Arrays:
        searched = np.full((len(self.models), len(QUANTIZED), len(SEARCHED)), np.nan)
        rows: list[list[dict[str, float]]] = []
        for row, (number, tables) in enumerate(zip(self.models, recorder.tables(), strict=True)):
            measured = {spec: gaps(table) for spec, (_, table) in tables.items()}
            equal = at_equal_counts(measured, self.distribution.random(Purpose.SUBSET, number))
            rows.append([scores(measured[spec], self.study.examples) | equal[spec] for spec in QUANTIZED])
            if number < self.study.searched_models:
                best = [elements[measured[spec].best].float() for spec, (elements, _) in tables.items()]
                searched[row] = [searched_rate(one, losses) for one in best]
        kept = {f"score/{name}": np.array([[row[name] for row in model] for model in rows]) for name in rows[0][0]}
        return kept | {f"score/{name}": searched[..., number] for number, name in enumerate(SEARCHED)}

    def _against(self, net: Network, final: Tensor, own: Sequence[Sample], validation: Sample) -> Arrays:
        """Validation minus training, of the loss and (the other way round) of the accuracy; fidelity; `[models, 9]`."""
        n = self.study.examples
        members = [Sample(features=one.features[:n], labels=one.labels[:n]) for one in own]
        fresh = logits(net, final, validation)
        original = fresh[:, len(QUANTIZED) :]
        mine = [logits(net, final[i : i + 1], part)[0] for i, part in enumerate(members)]
        loss = np.stack([cross_entropy(z, part.labels).mean(-1) for z, part in zip(mine, members, strict=True)])
        right = np.stack([accuracy(z, part.labels) for z, part in zip(mine, members, strict=True)])
        return {
            "gap": cross_entropy(fresh, validation.labels).mean(-1) - loss,
            "fidelity": fidelity(torch.from_numpy(fresh), torch.from_numpy(original)).numpy(),
            "accuracy_gap": right - accuracy(fresh, validation.labels),
        }


def trained(block: Block) -> Tensor:
    """The models of a block at the end of training, `[models, P]`."""
    *_, checkpoint = TRAINERS["compiled"].train(block)
    return checkpoint.flat


def sample(study: Synthetic, distribution: Distribution, purpose: Purpose) -> Sample:
    """The examples of one purpose."""
    pool = 2 * study.examples
    size = {
        Purpose.VALIDATION: study.validation,
        Purpose.TEST: study.test,
        Purpose.POOL: pool,
        Purpose.POPULATION: pool,
        Purpose.LARGE: study.large_validation,
    }[purpose]
    return distribution.mixture.sample(size, distribution.random(purpose))


def own_sample(study: Synthetic, distribution: Distribution, model: int) -> Sample:
    """A model's own `2 n` fresh examples: its members, then as many others."""
    return distribution.mixture.sample(2 * study.examples, distribution.random(Purpose.OWN, model))


def together(drawn: Sequence[Sample]) -> Sample:
    """Samples one after another."""
    return Sample(
        features=np.concatenate([one.features for one in drawn]), labels=np.concatenate([one.labels for one in drawn])
    )


def tensors(drawn: Sample) -> tuple[Tensor, Tensor]:
    """Features and labels for torch."""
    return torch.from_numpy(drawn.features), torch.from_numpy(drawn.labels)


def fresh_fleet(study: Synthetic, own: Sequence[Sample], first: int, distribution: Distribution) -> Fleet:
    """Models whose members are the first half of their own sample."""
    n = study.examples
    rows = tuple(np.arange(2 * n * i, 2 * n * i + n) for i in range(len(own)))
    return fleet(study, together(own), rows, int(distribution.random(Purpose.FLEET, first).integers(1 << 31)))


def fleet(study: Synthetic, drawn: Sample, members: tuple[np.ndarray, ...], seed: int) -> Fleet:
    """Linear models without bias (Example 2.2 of the paper) on rows of a sample."""
    features, labels = tensors(drawn)
    return Fleet(
        network=network("linear?bias=false", features.shape[1:], 1),
        task="binary",
        features=features,
        targets=labels,
        members=members,
        training=study.training,
        seed=seed,
        block=study.block,
    )


def rounded(spec: str) -> Elementwise:
    """The quantizer of a spec on every weight; biases would be rounded to bfloat16, but these models have none."""
    return Elementwise(rule=quantizer(spec))


def quantized(layout: Layout, flat: Tensor) -> Tensor:
    """The models under every quantizer of `PAPER_A`, `[models, 9, P]`."""
    return torch.stack([rounded(spec).quantize_flat(layout, flat) for spec in PAPER_A], 1)


def logits(net: Network, flat: Tensor, drawn: Sample) -> np.ndarray:
    """`[models, quantizers, examples]` of flat vectors `[models, quantizers, P]`."""
    outputs = Predictor(net, torch.from_numpy(drawn.features))(flat.flatten(0, 1))[..., 0]
    return np.asarray(outputs.unflatten(0, flat.shape[:2]).numpy())


def accuracy(logit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Accuracy of logits `[..., examples]`."""
    return np.asarray(((logit > 0) == labels).mean(-1))


def cross_entropy(logit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Per-sample loss in nats, float64, of logits `[..., examples]`."""
    return np.asarray(np.logaddexp(0.0, np.where(labels == 1, -1.0, 1.0) * logit.astype(np.float64)))


def entropy(final: Tensor) -> np.ndarray:
    """Entropy in bits of the values of one model's weights, of `[models, quantizers, P]`."""
    found = np.empty(final.shape[:2])
    for place in np.ndindex(*found.shape):
        share = np.unique(final[place].numpy(), return_counts=True)[1] / final.shape[2]
        found[place] = -(share * np.log2(share)).sum()
    return found
