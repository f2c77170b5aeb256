"""Which intervals of a quantizer's rate hold: coverage by simulation, for rates whose tails are heavy.

    OMP_NUM_THREADS=1 python benchmarks/rate_intervals.py

Writes `benchmarks/results/rate_intervals_<date>.md`; a minute or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

from quantleak.theory import confidence_more_private, ranks
from quantleak.theory.over_models import order_statistic_median, students_mean
from report import write_results

LEVEL = 0.95
REPEATS = 1000
RANKINGS = 300
RESAMPLES = 1000
QUANTIZERS = 8
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
WORLDS: dict[str, Draw] = {
    "lognormal, sigma 1": lambda random, shape: random.normal(0, 1, shape),
    "lognormal, sigma 2": lambda random, shape: random.normal(0, 2, shape),
    "chi-squared of 1 df (skewed left on a log scale)": lambda random, shape: np.log(random.chisquare(1, shape)),
    "Pareto, index 2 (skewed right on a log scale)": lambda random, shape: random.exponential(0.5, shape),
}
"""Logarithms of rates. A rate is half a squared ratio, so that chi-squared is what an unresolved one looks like."""


def main() -> None:
    lines = [
        f"{100 * LEVEL:.0f}% intervals over models; {REPEATS} samples a cell, so that a coverage has a standard error "
        f"of at most {0.5 / math.sqrt(REPEATS):.3f} ({math.sqrt(0.0475 / REPEATS):.3f} at .95). The bootstraps have "
        f"{RESAMPLES} resamples.",
        "",
        *centres(),
        "",
        *differences(),
        "",
        *pairs(),
        "",
        *rankings(),
    ]
    write_results("rate_intervals", "OMP_NUM_THREADS=1 python benchmarks/rate_intervals.py", lines)


def centres() -> list[str]:
    """Coverage of the mean, the median and the geometric mean."""
    lines = [
        "## One quantizer",
        "",
        "Coverage of the true value: of the mean by BCa (used before) and by Student's t, of the median by order "
        "statistics (used now), of the geometric mean by BCa (used before) and by Student's t on logarithms (used "
        "now).",
        "",
        "| rates | models | mean, BCa | mean, t | median, order statistics | geometric mean, BCa | geometric mean, t |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, draw in WORLDS.items():
        random = np.random.default_rng(0)
        many = draw(random, (4_000_000,))
        truth = {"mean": _mean_of(name), "median": math.exp(float(np.median(many))), "log": float(many.mean())}
        for models in (5, 10, 30, 64):
            logs = draw(random, (REPEATS, models))
            rates = np.exp(logs)
            cells = [
                _covers(_bca(rates), truth["mean"]),
                _covers(_each(rates, students_mean), truth["mean"]),
                _covers(_each(rates, order_statistic_median), truth["median"]),
                _covers(_bca(logs), truth["log"]),
                _covers(_each(logs, students_mean), truth["log"]),
            ]
            lines.append(f"| {name} | {models} | {' | '.join(cells)} |")
    return lines


def differences() -> list[str]:
    """Coverage of paired differences of two quantizers on the same models."""
    lines = [
        "## Two quantizers on the same models",
        "",
        "Their logarithms share half of the variance and differ by 0.5 in the median. Coverage of the mean difference "
        "by the percentile bootstrap (used before), and of the median difference by order statistics (used now).",
        "",
        "| rates | models | mean, percentiles | median, order statistics |",
        "| --- | --- | --- | --- |",
    ]
    for sigma in (1.0, 2.0):
        random = np.random.default_rng(1)
        for models in (5, 10, 30, 64):
            one, two = (np.exp(logs) for logs in _paired(random, sigma, (REPEATS, models)))
            apart = np.exp(0.5) * two - one
            many = [np.exp(logs) for logs in _paired(random, sigma, (4_000_000,))]
            median = float(np.median(np.exp(0.5) * many[1] - many[0]))
            mean = (math.exp(0.5) - 1) * math.exp(sigma**2 / 2)
            drawn = _resampled_means(apart, random)
            limits = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1).T
            cells = [_covers(limits, mean), _covers(_each(apart, order_statistic_median), median)]
            lines.append(f"| lognormal, sigma {sigma:g} | {models} | {' | '.join(cells)} |")
    return lines


def pairs() -> list[str]:
    """How often two equal quantizers are distinguished with 97.5% confidence or more, in either direction."""
    lines = [
        "## Sure of a difference where there is none",
        "",
        "Share of samples in which one of two quantizers of equal median counts as the more private with a confidence "
        "of at least 97.5%; 5% is allowed. Bootstrap probability of the larger mean (used before) and of the larger "
        "median, and the sign test's confidence (used now).",
        "",
        "| rates | models | means | medians | sign test |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, first, second in (("sigma 1 and 1", 1.0, 1.0), ("sigma 2 and 2", 2.0, 2.0), ("sigma 1 and 2", 1.0, 2.0)):
        random = np.random.default_rng(2)
        for models in (5, 10, 30, 64):
            one, two = (np.exp(scale * random.normal(size=(REPEATS, models))) for scale in (first, second))
            index = random.integers(models, size=(RESAMPLES, models))
            sure = [
                np.array([_more(np.mean, a, b, index) for a, b in zip(one, two, strict=True)]),
                np.array([_more(np.median, a, b, index) for a, b in zip(one, two, strict=True)]),
                np.array([confidence_more_private(a, b) for a, b in zip(one, two, strict=True)]),
            ]
            cells = [f"{np.mean((found >= 0.975) | (found <= 0.025)):.3f}" for found in sure]
            lines.append(f"| lognormal, {name} | {models} | {' | '.join(cells)} |")
    return lines


def rankings() -> list[str]:
    """Coverage of the ranks of eight quantizers."""
    lines = [
        "## Ranks of eight quantizers",
        "",
        f"Lognormal rates of sigma 1 that share half of their variance, medians a step apart on a log scale; "
        f"{RANKINGS} samples a cell. Coverage of the true rank, mean over quantizers and that of the worst, and the "
        "mean width in ranks: percentiles of bootstrapped means (used before) and medians, and sign tests (used now).",
        "",
        "| step | models | means | medians | sign tests |",
        "| --- | --- | --- | --- | --- |",
    ]
    truth = np.arange(QUANTIZERS, 0, -1.0)
    for step in (0.01, 0.2, 1.0):
        random = np.random.default_rng(3)
        for models in (8, 16, 64):
            found: dict[str, list[np.ndarray]] = {"means": [], "medians": [], "signs": []}
            for _ in range(RANKINGS):
                shared = random.normal(0, math.sqrt(0.5), (models, 1))
                logs = shared + random.normal(0, math.sqrt(0.5), (models, QUANTIZERS)) + step * np.arange(QUANTIZERS)
                rates = np.exp(logs)
                drawn = rates[random.integers(models, size=(200, models))]  # [resamples, models, quantizers]
                for name, centre in (("means", drawn.mean(1)), ("medians", np.median(drawn, axis=1))):
                    rank = stats.rankdata(-centre, axis=1)
                    found[name].append(np.quantile(rank, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0))
                ours = ranks(rates, LEVEL)
                found["signs"].append(np.stack([ours.low, ours.high]))
            cells = []
            for limits in (np.stack(found[name]) for name in found):  # [samples, 2, quantizers]
                inside = ((limits[:, 0] <= truth) & (truth <= limits[:, 1])).mean(0)
                width = (limits[:, 1] - limits[:, 0]).mean()
                cells.append(f"{inside.mean():.3f}, worst {inside.min():.3f}, width {width:.1f}")
            lines.append(f"| {step:g} | {models} | {' | '.join(cells)} |")
    return lines


def _mean_of(name: str) -> float:
    """The true mean of each world."""
    return dict(zip(WORLDS, (math.exp(0.5), math.exp(2), 1.0, 2.0), strict=True))[name]


def _paired(random: np.random.Generator, sigma: float, shape: tuple[int, ...]) -> list[np.ndarray]:
    shared = random.normal(0, sigma * math.sqrt(0.5), shape)
    return [shared + random.normal(0, sigma * math.sqrt(0.5), shape) for _ in range(2)]


def _each(samples: np.ndarray, method: Callable) -> np.ndarray:
    found = [method(sample, LEVEL) for sample in samples]
    return np.array([(one.low, one.high) for one in found])


def _bca(samples: np.ndarray) -> np.ndarray:
    """SciPy's BCa interval of every sample's mean, [samples, 2]."""
    found = [
        stats.bootstrap(
            (some,), np.mean, axis=-1, n_resamples=RESAMPLES, batch=100, confidence_level=LEVEL, method="BCa", rng=0
        ).confidence_interval
        for some in np.array_split(samples, 10)
    ]
    return np.concatenate([np.stack([one.low, one.high], axis=1) for one in found])


def _resampled_means(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    models = samples.shape[1]
    counts = random.multinomial(models, np.full(models, 1 / models), size=RESAMPLES)
    return samples @ counts.T / models


def _more(centre: Callable, one: np.ndarray, two: np.ndarray, index: np.ndarray) -> float:
    first, second = centre(one[index], axis=1), centre(two[index], axis=1)
    return float(np.mean((first > second) + 0.5 * (first == second)))


def _covers(limits: np.ndarray, truth: float) -> str:
    defined = ~np.isnan(limits).any(1)
    if not defined.any():
        return "no interval"
    low, high = limits[defined].T
    return f"{np.mean((low <= truth) & (truth <= high)):.3f}"


if __name__ == "__main__":
    main()
