"""The synthetic study of paper A (section 5.1): linear models on a mixture of Gaussians, each with fresh data.

Source: [Aubinais2025]_ Aubinais, Formont, Piantanida, Gassiat: Membership Inference Risks in Quantized Models,
arXiv 2502.06567. What the paper leaves open (centres of the modes, batch size, N) are settings here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import stats

from quantleak.attacks import evaluate, log_probability, phi_binary
from quantleak.auditing.element import element
from quantleak.auditing.recorder import Recorder, validation_losses
from quantleak.data import Mixture, Sample
from quantleak.engines import run
from quantleak.fleet import TRAINERS, Fleet, Network, Optimizer, Predictor, Training, network
from quantleak.quantizers import PAPER_A, quantizer
from quantleak.theory import Rates

ACCURACY_AT_SIGMA_2 = {
    6: (0.822, 0.876, 0.892, 0.890, 0.894, 0.928, 0.941, 0.945, 0.950),
    8: (0.760, 0.811, 0.833, 0.833, 0.831, 0.869, 0.885, 0.892, 0.897),
    16: (0.681, 0.724, 0.737, 0.729, 0.741, 0.772, 0.787, 0.793, 0.798),
}
"""Table 2 of the paper at sigma = 2: mean test accuracy by number of modes, in the order of `PAPER_A`."""


class Purpose(IntEnum):
    """What random numbers are for; each has a stream of its own."""

    OWN = 1
    FLEET = 2
    VALIDATION = 3
    TEST = 4


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """One distribution of the study and the fleet trained on it.

    Attributes:
        modes: Gaussians in the mixture.
        sigma: Standard deviation of each.
        models: Models, each on fresh data.
        draw: Which draw of the modes, and of everything else.
        epochs: Passes over a model's data.
        examples: n, training examples of a model.
        batch: Minibatch.
        learning_rate: Of Adam.
        validation: N, fresh examples behind r_Q, shared by all models.
        test: Fresh examples behind the accuracy, shared by all models.
        block: Models trained side by side.
    """

    modes: int = 8
    sigma: float = 2.0
    models: int = 64
    draw: int = 0
    epochs: int = 3000
    examples: int = 128
    batch: int = 32
    learning_rate: float = 1e-4
    validation: int = 1000
    test: int = 10_000
    block: int = 32

    @property
    def mixture(self) -> Mixture:
        """The distribution."""
        return Mixture(modes=self.modes, sigma=self.sigma, seed=self.draw)

    def random(self, purpose: Purpose, number: int = 0) -> np.random.Generator:
        """A stream for one purpose."""
        return np.random.default_rng(np.random.SeedSequence([self.draw, int(purpose), number]))


def tables(settings: Synthetic, workers: int = 2) -> pd.DataFrame:
    """Train, quantize, score and attack.

    Returns:
        One row for each (model, quantizer): `r_q`, `cramer`, `elements`, `resolution`, `accuracy` on the test examples,
        and `attack`: the LOSS attack's balanced accuracy on the model's own members and as many fresh examples, with
        the threshold chosen on other models. MIS bounds come from means of `attack`.
    """
    blocks = {str(first): partial(_block, settings, first) for first in range(0, settings.models, settings.block)}
    parts = dict(run(blocks, workers))
    frames = [parts[key][0] for key in blocks]
    losses = np.concatenate([parts[key][1] for key in blocks])  # [models, quantizers, members and others]
    member = np.tile(np.arange(2 * settings.examples) < settings.examples, (settings.models, 1))
    frame: pd.DataFrame = pd.concat(frames, ignore_index=True)
    for number, spec in enumerate(PAPER_A):
        attack = evaluate(losses[:, number], member, fprs=())
        frame.loc[frame["quantizer"] == spec, "attack"] = attack.per_target.balanced_accuracy
    return frame


def _block(settings: Synthetic, first: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rates and accuracies of one block of models, and the LOSS attack's scores `[models, quantizers, 2 n]`."""
    models = range(first, min(first + settings.block, settings.models))
    own = [settings.mixture.sample(2 * settings.examples, settings.random(Purpose.OWN, m)) for m in models]
    block = _fleet(settings, own, first).blocks()[0]
    network, layout = block.fleet.network, block.layout
    validation = settings.mixture.sample(settings.validation, settings.random(Purpose.VALIDATION))
    features, labels = torch.from_numpy(validation.features), torch.from_numpy(validation.labels)
    losses = validation_losses(network, "binary", features, labels)
    recorder = Recorder(losses, layout, [quantizer(spec) for spec in PAPER_A[:-1]], len(own))
    for checkpoint in TRAINERS["stacked"].train(block):
        recorder.update(checkpoint.flat)
    final = torch.stack([element(quantizer(spec), layout, checkpoint.flat, "bfloat16") for spec in PAPER_A], 1)
    test = settings.mixture.sample(settings.test, settings.random(Purpose.TEST))
    right = (_logits(network, final, test) > 0) == test.labels
    scores = [
        log_probability(phi_binary(_logits(network, flat[None], sample)[0], sample.labels))
        for flat, sample in zip(final, own, strict=True)
    ]
    return _rows(models, right.mean(-1), recorder.rates()), np.stack(scores)


def _fleet(settings: Synthetic, own: Sequence[Sample], first: int) -> Fleet:
    """Models whose members are the first half of their own sample; the second half are the others."""
    n = settings.examples
    features = np.concatenate([sample.features for sample in own])
    return Fleet(
        network=network("linear?bias=false", features.shape[1:], 1),
        task="binary",
        features=torch.from_numpy(features),
        targets=torch.from_numpy(np.concatenate([sample.labels for sample in own])),
        members=tuple(np.arange(2 * n * i, 2 * n * i + n) for i in range(len(own))),
        training=Training(
            epochs=settings.epochs, batch=settings.batch, optimizer=Optimizer(learning_rate=settings.learning_rate)
        ),
        seed=int(settings.random(Purpose.FLEET, first).integers(1 << 31)),
        block=settings.block,
    )


def _logits(network: Network, flat: torch.Tensor, sample: Sample) -> np.ndarray:
    """`[models, quantizers, examples]` of flat vectors `[models, quantizers, P]`."""
    outputs = Predictor(network, torch.from_numpy(sample.features))(flat.flatten(0, 1))[..., 0]
    return np.asarray(outputs.unflatten(0, flat.shape[:2]).numpy())


def _rows(models: range, accuracy: np.ndarray, rates: dict[str, list[Rates]]) -> pd.DataFrame:
    """One row for each (model, quantizer)."""
    rows: list[dict[str, Any]] = []
    for place, model in enumerate(models):
        for number, spec in enumerate(PAPER_A):
            row: dict[str, Any] = {"model": model, "quantizer": spec, "accuracy": float(accuracy[place, number])}
            if spec in rates:
                r_q, cramer = rates[spec][place].r_q, rates[spec][place].cramer
                row |= {"r_q": r_q.value, "cramer": cramer.value, "resolution": r_q.z, "elements": r_q.elements}
            rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Spearman's correlation over the eight quantizers of a ranking with the attack's MIS bound, with an interval."""

    value: float
    low: float
    high: float


def agreement(
    frames: list[pd.DataFrame], score: Callable[[pd.DataFrame], pd.Series], resamples: int = 1000
) -> Agreement:
    """How well a score ranks the quantizers as the LOSS attack's MIS bound does, the mean over draws of the modes.

    Args:
        frames: One of :func:`tables` for each draw.
        score: From the means by quantizer to a score, larger = more private.
        resamples: Models are drawn again, within each draw of the modes.
    """
    random = np.random.default_rng(0)
    wide = [frame[frame["quantizer"] != "identity"] for frame in frames]
    value = float(np.mean([_spearman(frame, score) for frame in wide]))
    drawn = [np.mean([_spearman(_redrawn(frame, random), score) for frame in wide]) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Agreement(value=value, low=float(low), high=float(high))


def _redrawn(frame: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    models = frame["model"].unique()
    by_model = frame.set_index("model")
    return pd.DataFrame(by_model.loc[random.choice(models, len(models))].reset_index())


def _spearman(frame: pd.DataFrame, score: Callable[[pd.DataFrame], pd.Series]) -> float:
    means = frame.groupby("quantizer", sort=False)[["r_q", "cramer", "elements", "attack"]].mean()
    bound = np.minimum(1.0, 2 * (1 - means["attack"]))
    return float(stats.spearmanr(score(means), bound).statistic)


def over_draws(settings: Synthetic, draws: int, workers: int = 2) -> list[pd.DataFrame]:
    """:func:`tables` for several draws of the modes."""
    return [tables(replace(settings, draw=settings.draw + number), workers) for number in range(draws)]
