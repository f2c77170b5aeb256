"""Fit every configuration, and compare them on the validation models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from quantleak.attacks.discriminator.inputs import InputKind, Reader, reader
from quantleak.attacks.discriminator.network import Network
from quantleak.attacks.discriminator.observed import Observed
from quantleak.attacks.discriminator.result import Trial
from quantleak.attacks.discriminator.settings import Discriminator
from quantleak.attacks.discriminator.training import Labelled, fit
from quantleak.attacks.evaluation.threshold import best_threshold


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
