"""The two-way bootstrap: targets and examples are drawn again, each with replacement, independently of each other.

Scores form a crossed table, targets x examples: targets share their examples (and most of their shadows), so its
entries are not independent trials. One draw of examples serves all targets. Source: [Owen2007] A. Owen, *The pigeonhole
bootstrap*, arXiv 0712.1111. It is conservative: its variance counts the variance between targets and that between
examples once each, as it should, but that of their interaction about three times instead of once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quantleak.attacks.ranking import ranking, total, weighted_metrics
from quantleak.attacks.table import ScoreTable
from quantleak.errors import InputError

_ENTRIES = 1 << 19


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How intervals are resampled.

    Attributes:
        resamples: Number of resamples.
        seed: Equal seeds draw the same targets and examples, so that differences are paired.
        level: Confidence level of the intervals.

    Raises:
        InputError: If there are fewer than 2 resamples or the level is not between 0 and 1.
    """

    resamples: int = 400
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.resamples < 2 or not 0 < self.level < 1:
            raise InputError(
                f"Bootstrap needs resamples >= 2 and 0 < level < 1, got resamples={self.resamples}, level={self.level}."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Means over the drawn targets, [B] each; NaN where no drawn target has both classes.

    Attributes:
        auc: Area under the ROC curve.
        tpr: By false positive rate.
        balanced_accuracy: At the decisions of the original sample.
        settings: What drew the resamples.
        draw: Fingerprint of targets, examples, groups and settings; equal ones drew the same resamples.
    """

    auc: np.ndarray
    tpr: dict[float, np.ndarray]
    balanced_accuracy: np.ndarray
    settings: Bootstrap
    draw: str

    @property
    def mis_bound(self) -> np.ndarray:
        """min(1, 2 (1 - balanced accuracy)), [B]."""
        return np.minimum(1.0, 2.0 * (1.0 - self.balanced_accuracy))


def resample(table: ScoreTable, decisions: np.ndarray, fprs: tuple[float, ...], settings: Bootstrap) -> Resampled:
    """AUC, TPR at every FPR and balanced accuracy of every resample.

    Args:
        table: Scores and memberships.
        decisions: [T, N] bool, examples called members by thresholds that stay as they are.
        fprs: False positive rates.
        settings: Number of resamples and seed.
    """
    target_seed, example_seed = np.random.SeedSequence(settings.seed).spawn(2)
    targets = len(table.scores)
    drawn = np.random.default_rng(target_seed).multinomial(targets, np.full(targets, 1 / targets), settings.resamples)
    orders = [ranking(*row) for row in zip(table.descending, table.member, table.curves, strict=True)]
    means, first = [], 0
    for weights in _example_weights(table.groups, settings.resamples, np.random.default_rng(example_seed)):
        ranked = np.stack([weighted_metrics(order, weights, fprs) for order in orders])
        values = np.concatenate([ranked, _accuracy(table.member, decisions, weights)[:, None]], axis=1)
        means.append(_mean_over_targets(values, drawn[first : first + weights.shape[1]].T))
        first += weights.shape[1]
    auc, *tpr, accuracy = np.concatenate(means, axis=1)
    return Resampled(
        auc=auc,
        tpr=dict(zip(fprs, tpr, strict=True)),
        balanced_accuracy=accuracy,
        settings=settings,
        draw=hashlib.sha256(f"{targets} {settings}".encode() + table.groups.tobytes()).hexdigest(),
    )


def _example_weights(groups: np.ndarray, resamples: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each example is drawn, [N, b] float32 at a time: b columns at once stay in cache, whatever N is."""
    size = int(groups.max()) + 1
    width = max(16, _ENTRIES // groups.size)
    for first in range(0, resamples, width):
        count = min(width, resamples - first)
        places = rng.integers(size, size=(count, size)) + size * np.arange(count)[:, None]
        weights = np.bincount(places.ravel(), minlength=count * size).reshape(count, size)
        yield np.ascontiguousarray(weights.T, dtype=np.float32)[groups]


def _accuracy(member: np.ndarray, decisions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Balanced accuracy of the given decisions, [T, b]."""

    def rate(side: np.ndarray) -> np.ndarray:
        called = (side & decisions).astype(np.float32) @ weights
        return np.asarray(called / total(side.astype(np.float32) @ weights))

    return np.asarray(0.5 * (1 + rate(member) - rate(~member)))


def _mean_over_targets(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of [T, M, b] over targets drawn weights [T, b] times, leaving out NaN."""
    defined = ~np.isnan(values)
    sums = np.einsum("tmb,tb->mb", np.where(defined, values, 0.0), weights)
    return np.asarray(sums / total(np.einsum("tmb,tb->mb", defined.astype(np.float64), weights)))
