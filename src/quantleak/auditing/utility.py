"""How good the quantized models are on the test part, with intervals over models and examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num
from scipy import stats

from quantleak.attacks import Bootstrap, evaluate

WeightedMetric = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
METRIC = {"binary": "auroc", "multiclass": "accuracy", "regression": "r2"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """One utility metric of all models.

    Attributes:
        per_model: `[models]`.
        resampled: Its mean over models in every resample, `[B]`; equal seeds draw the same models and examples, so
            that two quantizers' differences are paired.
    """

    per_model: np.ndarray
    resampled: np.ndarray


def measure(
    statistic: Float[np.ndarray, "models examples"],
    targets: Num[np.ndarray, " examples"],
    task: str,
    settings: Bootstrap,
    groups: Int[np.ndarray, " examples"] | None = None,
) -> dict[str, Measured]:
    """The utility metrics of a task, the main one first.

    AUROC equals `sklearn.metrics.roc_auc_score`, R2 `sklearn.metrics.r2_score`, Spearman's correlation
    `scipy.stats.spearmanr` (resampled on the ranks of the whole test part).

    Args:
        statistic: `[models, examples]`: logits (binary), 1 for right and 0 for wrong (multiclass), or predictions.
        targets: `[examples]`.
        task: `binary`, `multiclass` or `regression`.
        settings: Of the bootstrap over models and examples.
        groups: `[examples]`, equal values mark examples that are drawn together; each by itself if None.
    """
    groups = np.arange(len(targets)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if task == "binary":
        labels = np.broadcast_to(targets.astype(bool), statistic.shape)
        metrics = evaluate(statistic, labels, fprs=(), groups=groups, settings=settings)
        return {"auroc": Measured(per_model=metrics.per_target.auc, resampled=metrics.resampled.auc)}
    if task == "multiclass":
        return {"accuracy": _two_way(_mean, statistic, statistic, groups, settings)}
    ranks, target_ranks = stats.rankdata(statistic, axis=1), stats.rankdata(targets)
    return {
        "r2": _two_way(_r2, statistic, targets[None], groups, settings),
        "spearman": _two_way(_correlation, ranks, target_ranks[None], groups, settings),
    }


def _two_way(
    metric: WeightedMetric, statistic: np.ndarray, truth: np.ndarray, groups: np.ndarray, settings: Bootstrap
) -> Measured:
    """`metric(weights [B, N], statistic [K, N], truth)` -> `[B, K]`, once with equal and once with drawn weights."""
    models, examples = statistic.shape
    model_seed, example_seed = np.random.SeedSequence([settings.seed, 1]).spawn(2)
    drawn_models = _counts(np.random.default_rng(model_seed), models, settings.resamples)
    drawn_examples = _counts(np.random.default_rng(example_seed), int(groups.max()) + 1, settings.resamples)[:, groups]
    per_model = metric(np.ones((1, examples)), statistic, truth)[0]
    resampled = (metric(drawn_examples, statistic, truth) * drawn_models).sum(1) / models
    return Measured(per_model=per_model, resampled=resampled)


def _counts(random: np.random.Generator, size: int, resamples: int) -> np.ndarray:
    return random.multinomial(size, np.full(size, 1 / size), resamples).astype(np.float64)


def _mean(weights: np.ndarray, statistic: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.asarray(weights @ statistic.T / weights.sum(1, keepdims=True))


def _r2(weights: np.ndarray, statistic: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.asarray(1 - _mean(weights, np.square(statistic - truth), truth) / _covariance(weights, truth, truth))


def _correlation(weights: np.ndarray, statistic: np.ndarray, truth: np.ndarray) -> np.ndarray:
    product = np.sqrt(_covariance(weights, statistic, statistic) * _covariance(weights, truth, truth))
    # Constant predictions order nothing: their correlation counts as 0.
    return np.asarray(_covariance(weights, statistic, truth) / np.where(product > 0, product, np.inf))


def _covariance(weights: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    one, two = one - one.mean(1, keepdims=True), two - two.mean(1, keepdims=True)
    return np.asarray(_mean(weights, one * two, two) - _mean(weights, one, one) * _mean(weights, two, two))
