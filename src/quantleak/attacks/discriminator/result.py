"""What the discriminator finds, and all that it tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from quantleak.attacks.discriminator.settings import Candidate
from quantleak.attacks.discriminator.split import Split
from quantleak.results import Estimate


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One configuration of g on the validation models.

    Attributes:
        candidate: The configuration.
        accuracy: On the validation models, at the threshold that is best there; None where it could not be tried.
        history: Their cross-entropy in nats, before training and after every epoch.
        reason: Why it could not be tried.
    """

    candidate: Candidate
    accuracy: float | None
    history: tuple[float, ...] = ()
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The candidate and its accuracy, ready for JSON."""
        fields = {**self.candidate.to_dict(), "accuracy": self.accuracy, "epochs": max(len(self.history) - 1, 0)}
        return fields | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, kw_only=True, eq=False)
class PerModel:
    """Figures of each test model, in the order of `Split.test`, [T] each."""

    accuracy: np.ndarray
    auc: np.ndarray
    loss_accuracy: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Discrimination:
    """What g achieves on models it never saw; every estimate is a mean over test models.

    Attributes:
        accuracy: Share of examples classified right, half of them members; the threshold is from the validation models.
        mis_bound: min(1, 2 (1 - accuracy)), an upper bound on Membership Inference Security.
        auc: Area under each model's ROC curve.
        loss_accuracy: The accuracy of the LOSS attack on the same models, its threshold from the validation models.
        gain: g's accuracy minus that of the LOSS attack, paired by model.
        chosen: The configuration that was the most accurate on the validation models.
        threshold: The logit from which an example is called a member.
        history: The chosen one's cross-entropy on the validation models in nats, before training and after every epoch.
        trials: All configurations, in the order of the search.
        per_model: The figures of each test model.
        scores: Logits of the test models' examples, [T, N] float64, larger = more likely a member.
        split: Which models trained, validated and tested.
    """

    accuracy: Estimate
    mis_bound: Estimate
    auc: Estimate
    loss_accuracy: Estimate
    gain: Estimate
    chosen: Candidate
    threshold: float
    history: tuple[float, ...] = field(repr=False)
    trials: tuple[Trial, ...] = field(repr=False)
    per_model: PerModel = field(repr=False)
    scores: np.ndarray = field(repr=False)
    split: Split = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Estimates, choice and search, ready for JSON."""
        names = ("accuracy", "mis_bound", "auc", "loss_accuracy", "gain")
        return {
            **{name: getattr(self, name).to_dict() for name in names},
            "chosen": self.chosen.to_dict(),
            "trials": [trial.to_dict() for trial in self.trials],
            "models": {name: len(getattr(self.split, name)) for name in ("train", "validation", "test")},
        }


def mean_over_models(values: np.ndarray, level: float) -> Estimate:
    """Mean of one value per model with Student's t interval: models are independent, examples of one model are not.

    Equals `scipy.stats.ttest_1samp(values, 0).confidence_interval(level)`, except that equal values have an interval of
    length 0. Given this g: training it again is not part of the interval, nor need it be, for every g gives a bound.

    Example:
        >>> mean_over_models(np.array([0.5, 0.6, 0.7]), 0.95).to_dict()
        {'value': 0.6, 'low': 0.35158..., 'high': 0.84841...}
    """
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    width = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    return Estimate(value=mean, low=mean - width, high=mean + width)
