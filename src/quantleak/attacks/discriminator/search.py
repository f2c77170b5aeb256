"""Fit every configuration, and compare them on the validation models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from quantleak.attacks.discriminator.inputs import InputKind, Inputs, Reader, reader
from quantleak.attacks.discriminator.network import Network, loss_start
from quantleak.attacks.discriminator.observed import Observed
from quantleak.attacks.discriminator.result import Trial
from quantleak.attacks.discriminator.settings import Candidate, Discriminator
from quantleak.attacks.evaluation.threshold import best_threshold


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Labelled:
    """Inputs and the truth.

    Attributes:
        inputs: Of some models.
        member: [M, N] float32, 1 for members.
    """

    inputs: Inputs
    member: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """g where the validation models liked it best.

    Attributes:
        network: Its weights of that epoch.
        history: Cross-entropy on the validation models in nats, before training and after every epoch.
    """

    network: Network
    history: tuple[float, ...]


def fit(
    candidate: Candidate, settings: Discriminator, training: Labelled, validation: Labelled, random: np.random.Generator
) -> Fitted:
    """Minimise the cross-entropy with AdamW; keep the epoch with the lowest on the validation models."""
    network = _start(candidate, training, int(random.integers(1 << 31)))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=candidate.learning_rate, weight_decay=candidate.weight_decay, fused=True
    )
    history, best = [_cross_entropy(network, validation)], _copy(network)
    for _ in range(settings.epochs):
        for examples, member in _minibatches(training, settings.batch, random):
            optimizer.zero_grad()
            logits = network(examples, training.inputs.parameters)
            binary_cross_entropy_with_logits(logits, member).backward()
            optimizer.step()
        history.append(_cross_entropy(network, validation))
        if history[-1] == min(history):
            best = _copy(network)
        elif len(history) - 1 - int(np.argmin(history)) >= settings.patience:
            break
    network.load_state_dict(best)
    return Fitted(network=network, history=tuple(history))


def _start(candidate: Candidate, training: Labelled, seed: int) -> Network:
    columns, theta = training.inputs.examples.shape[2], training.inputs.parameters
    start = loss_start(training.inputs.examples, training.member)
    # The caller's own stream of random numbers is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(start, columns, 0 if theta is None else theta.shape[1], candidate.width)


def _minibatches(training: Labelled, size: int, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass: the next `size` examples of every model, each model's in an order of its own."""
    models, examples = training.member.shape
    order = torch.from_numpy(random.permuted(np.tile(np.arange(examples), (models, 1)), axis=1))
    rows = torch.arange(models)[:, None]
    for some in order.split(size, dim=1):
        yield training.inputs.examples[rows, some], training.member[rows, some]


def _cross_entropy(network: Network, validation: Labelled) -> float:
    return float(binary_cross_entropy_with_logits(network.logits(validation.inputs), validation.member))


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: values.clone() for name, values in network.state_dict().items()}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Known:
    """Models whose memberships g may see."""

    seen: Observed
    member: np.ndarray

    def labelled(self, read: Reader) -> Labelled:
        """As g reads them."""
        return Labelled(inputs=read(self.seen), member=torch.from_numpy(self.member.astype(np.float32)))


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Attempt:
    """A configuration that was fitted.

    Attributes:
        trial: How it did.
        accuracy: On the validation models, at the threshold that is best there.
        threshold: That threshold.
        read: What it reads.
        network: g.
    """

    trial: Trial
    accuracy: float
    threshold: float
    read: Reader
    network: Network

    def scores(self, seen: Observed) -> np.ndarray:
        """Logits of membership, [M, N] float64."""
        return np.asarray(self.network.logits(self.read(seen)).double().numpy())


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Search:
    """The search; the test models are not in it.

    Attributes:
        settings: What to try, and how to train.
        training: Models that g is fitted to.
        validation: Models that stop the training and choose.
        refused: Inputs that cannot be formed, with the reason.
        seeds: One for each configuration.
    """

    settings: Discriminator
    training: Known
    validation: Known
    refused: Mapping[InputKind, str]
    seeds: list[np.random.SeedSequence]

    def run(self) -> list[Attempt | Trial]:
        """By configuration, in order, an attempt or a trial that says why there is none."""
        found: dict[int, Attempt | Trial] = {}
        # Configurations that read the same share what they read.
        for kind in dict.fromkeys(candidate.inputs for candidate in self.settings.search):
            found |= self._of_kind(kind)
        return [found[place] for place in sorted(found)]

    def _of_kind(self, kind: InputKind) -> Iterator[tuple[int, Attempt | Trial]]:
        candidates = [(i, one) for i, one in enumerate(self.settings.search) if one.inputs == kind]
        if kind in self.refused:
            yield from ((i, Trial(candidate=one, accuracy=None, reason=self.refused[kind])) for i, one in candidates)
            return
        read = reader(kind, self.training.seen)
        training, validation = self.training.labelled(read), self.validation.labelled(read)
        for i, one in candidates:
            fitted = fit(one, self.settings, training, validation, np.random.default_rng(self.seeds[i]))
            scores = np.asarray(fitted.network.logits(validation.inputs).double().numpy())
            threshold, accuracy = threshold_and_accuracy(scores, self.validation.member)
            trial = Trial(candidate=one, accuracy=accuracy, history=fitted.history)
            yield i, Attempt(trial=trial, accuracy=accuracy, threshold=threshold, read=read, network=fitted.network)


def threshold_and_accuracy(scores: np.ndarray, member: np.ndarray) -> tuple[float, float]:
    """The best threshold for scores [M, N] float64, and the accuracy there."""
    threshold = best_threshold(scores, member, np.ones_like(member))
    return threshold, float(((scores >= threshold) == member).mean())
