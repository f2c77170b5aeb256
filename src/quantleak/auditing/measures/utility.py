"""How good the quantized models are on the test part, with intervals over models and examples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Num
from scipy import stats

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.influence import share_influence
from quantleak.attacks.evaluation.metrics import auc_estimate, crossed_auc
from quantleak.attacks.evaluation.table import group_codes, score_table
from quantleak.results import Estimate

METRIC = {"binary": "auroc", "multiclass": "accuracy", "regression": "r2"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """One utility metric of all models.

    Attributes:
        crossed: Its value for every model and the influences of the examples, for paired differences.
        estimate: Its mean over models with an interval.
    """

    crossed: Crossed
    estimate: Estimate


def measure(
    statistic: Float[np.ndarray, "models examples"],
    targets: Num[np.ndarray, " examples"],
    task: str,
    groups: Int[np.ndarray, " examples"] | None = None,
    level: float = 0.95,
) -> dict[str, Measured]:
    """The utility metrics of a task, the main one first.

    AUROC equals `sklearn.metrics.roc_auc_score`, R2 `sklearn.metrics.r2_score`, Spearman's correlation
    `scipy.stats.spearmanr`.

    Args:
        statistic: `[models, examples]`: logits (binary), 1 for right and 0 for wrong (multiclass), or predictions.
        targets: `[examples]`.
        task: `binary`, `multiclass` or `regression`.
        groups: `[examples]`, equal values mark examples that belong together; each by itself if None.
        level: Confidence level.
    """
    codes = group_codes(groups, len(targets))
    if task == "binary":
        table = score_table(statistic, np.broadcast_to(targets.astype(bool), statistic.shape), groups)
        auc = crossed_auc(table)
        return {"auroc": Measured(crossed=auc, estimate=auc_estimate(auc, table, level))}
    if task == "multiclass":
        right = statistic.astype(bool)
        accuracy = Crossed.of(right.mean(axis=1), share_influence(right, np.ones_like(right)), codes)
        return {"accuracy": Measured(crossed=accuracy, estimate=accuracy.share(level))}
    found = {"r2": _r2(statistic, targets), "spearman": _spearman(statistic, targets)}
    crossed = {name: Crossed.of(values, influence, codes) for name, (values, influence) in found.items()}
    return {name: Measured(crossed=one, estimate=_at_most_1(one.estimate(level))) for name, one in crossed.items()}


def _at_most_1(estimate: Estimate) -> Estimate:
    """R2 and correlations end at 1."""
    return estimate if estimate.high is None else replace(estimate, high=min(1.0, estimate.high))


def of_members(
    statistic: Float[np.ndarray, "models examples"],
    targets: Num[np.ndarray, " examples"],
    member: Bool[np.ndarray, "models examples"],
    task: str,
) -> float:
    """The main metric of models on their own training examples, the mean over models; NaN where it is undefined."""
    values = []
    for row, inside in zip(statistic, member, strict=True):
        if task == "binary" and len(np.unique(targets[inside])) < 2:
            return float("nan")
        found = measure(row[None, inside], targets[inside], task)[METRIC[task]]
        values.append(found.crossed.mean)
    return float(np.mean(values))


def chance(task: str, targets: Num[np.ndarray, " examples"]) -> float:
    """The main metric of guessing: of always naming the largest class of the test part, or of predicting its mean."""
    if task == "multiclass":
        return float(np.bincount(targets).max() / len(targets))
    return 0.5 if task == "binary" else 0.0


def _r2(prediction: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 - MSE / variance of the truth, `[models]`, and its influences `[models, examples]`."""
    errors, spread = np.square(prediction - truth), np.square(truth - truth.mean())
    error, variance = errors.mean(axis=1, keepdims=True), spread.mean()
    psi = (error * (spread - variance) / variance - (errors - error)) / variance / len(truth)
    return 1 - error[:, 0] / variance, psi


def _spearman(prediction: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Spearman's correlation, `[models]`, and its influences `[models, examples]`.

    $\rho = 12 E[(F(X) - 1/2)(G(Y) - 1/2)]$ with the distribution functions F and G; an example changes the mean of
    the products, and F and G of all others. Source: [Croux2010] C. Croux, C. Dehon, *Influence functions of the
    Spearman and Kendall correlation measures*, Statistical Methods & Applications 19.
    """
    count = len(truth)
    y = (stats.rankdata(truth) - 0.5) / count - 0.5
    values, influence = np.empty(len(prediction)), np.empty(prediction.shape)
    for model, row in enumerate(prediction):
        x = (stats.rankdata(row) - 0.5) / count - 0.5
        scale = np.sqrt(x @ x * (y @ y))
        # Constant predictions order nothing: their correlation counts as 0.
        values[model] = x @ y / scale if scale > 0 else 0.0
        psi = x * y + _carried(x, y) + _carried(y, x)
        influence[model] = 12 * (psi - psi.mean()) / count
    return values, influence


def _carried(ranked: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For every example the mean of `other` over the examples that rank at least as high, equal ones at 1/2."""
    order = np.argsort(-ranked, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(ranked[order])), len(ranked) - 1)
    sums = np.append(0.0, np.cumsum(other[order])[ends])
    middle = np.repeat((sums[1:] + sums[:-1]) / 2, np.diff(np.append(-1, ends)))
    carried = np.empty(len(ranked))
    carried[order] = middle / len(ranked)
    return carried
