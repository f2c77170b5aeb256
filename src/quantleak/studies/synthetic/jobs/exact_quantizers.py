"""Which quantizer is more private, known exactly: a linear classifier of two weights on three examples.

The weights are scaled so that the larger is 1 or -1, which leaves every quantizer a finite set. All of it is listed,
MIS is enumerated, and r_Q, the Cramer rate and the number of elements are set beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import torch

from quantleak.quantizers import quantizer
from quantleak.theory import ExactMis, erm_mis, rates
from quantleak.theory.exact import population_table, quantized

QUANTIZERS = (
    "sign",
    "ternary:0.5",
    "uniform:1",
    "uniform:2?saturate=true",
    "uniform:2",
    "uniform:3",
    "uniform:4",
    "uniform:5",
)
"""Those of the paper that differ on two weights, and two in between."""

SIZES = (10, 100, 400)
STEPS = 32
"""Weights before quantization lie on a grid of this many steps to 1."""

SCORES = ("r_q", "cramer", "fewer elements")
TRUTHS = ("leak", "leak_quantized")


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """A data distribution: the classifier sees an example (x, y), y = 1 or -1, as the signed point y x only.

    Attributes:
        signed: Signed points [3, 2].
        probabilities: P [3], in sixtieths.
    """

    signed: np.ndarray
    probabilities: tuple[Fraction, ...]

    def losses(self, weights: np.ndarray) -> np.ndarray:
        """Logistic loss ln(1 + exp(-y w x)) of each weight vector [K, 2] on each example; [K, 3], nats."""
        return np.asarray(np.logaddexp(0.0, -weights @ self.signed.T))


def world(draw: int) -> World:
    """A distribution drawn at random that no classifier gets right everywhere.

    Gaussian points to one decimal, drawn again until the triangle between them holds the origin; at least a sixth of
    the examples at each.
    """
    random = np.random.default_rng(draw)
    while separable(signed := random.normal(scale=1.5, size=(3, 2)).round(1)):
        pass
    sixtieths = 10 + random.multinomial(30, np.full(3, 1 / 3))
    return World(signed=signed, probabilities=tuple(Fraction(int(k), 60) for k in sixtieths))


def separable(signed: np.ndarray) -> bool:
    """Whether some weights put all three points [3, 2] on their positive side, or the origin is on an edge."""
    turns = [a[0] * b[1] - a[1] * b[0] for a, b in zip(signed, np.roll(signed, -1, axis=0), strict=True)]
    return not (min(turns) > 0 or max(turns) < 0)


def unquantized() -> np.ndarray:
    """The weights before quantization: the boundary of the square [-1, 1]^2, [8 * STEPS, 2] float64."""
    side = np.arange(-STEPS, STEPS + 1) / STEPS
    square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return np.asarray(square[np.abs(square).max(1) == 1])


def quantizers(draws: int = 10, sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """Exact MIS of every quantizer in several worlds.

    Returns:
        One row for each (draw, quantizer, n): `mis` of the empirical-risk minimiser over the quantizer's elements (of
        which the theory speaks), `mis_quantized` of the minimiser over the unquantized weights, quantized afterwards;
        `leak` and `leak_quantized`, which are 1 minus these; `elements`, `r_q` and `cramer` of the population.
    """
    return pd.concat([_one_world(draw, sizes) for draw in range(draws)], ignore_index=True)


def _one_world(draw: int, sizes: Sequence[int]) -> pd.DataFrame:
    here, weights = world(draw), unquantized()
    trained = [erm_mis(here.losses(weights), here.probabilities, n) for n in sizes]
    frames = [_one_quantizer(here, spec, trained) for spec in QUANTIZERS]
    return pd.concat(frames, ignore_index=True).assign(draw=draw)


def _one_quantizer(here: World, spec: str, trained: Sequence[ExactMis]) -> pd.DataFrame:
    values = quantizer(spec)(torch.from_numpy(unquantized()), batch_dims=1).numpy()
    elements, onto = np.unique(values, axis=0, return_inverse=True)
    losses = here.losses(elements)
    population = rates(population_table(losses, here.probabilities))
    exact = [erm_mis(losses, here.probabilities, before.n) for before in trained]
    after = [quantized(before, onto.ravel()) for before in trained]
    return pd.DataFrame(
        {
            "quantizer": spec,
            "n": [one.n for one in exact],
            "mis": [one.value for one in exact],
            "mis_quantized": [one.value for one in after],
            "leak": [one.leak for one in exact],
            "leak_quantized": [one.leak for one in after],
            "elements": len(elements),
            "r_q": population.r_q.value,
            "cramer": population.cramer.value,
        }
    )


def ranking(frame: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """How well each score ranks the quantizers as the exact leak does.

    Args:
        frame: Of :func:`quantizers`.
        resamples: Of the worlds, for the percentile interval.

    Returns:
        One row for each (n, truth, score): `spearman` of the score with minus the leak, the mean over worlds, and its
        95% interval `low` to `high`. A constant score or truth counts as 0.
    """
    wide = frame.assign(**{"fewer elements": -frame["elements"]})
    rows = [
        {"n": n, "truth": truth, "score": score, **_mean_spearman(at_n, truth, score, resamples)}
        for n, at_n in wide.groupby("n")
        for truth in TRUTHS
        for score in SCORES
    ]
    return pd.DataFrame(rows)


def _mean_spearman(frame: pd.DataFrame, truth: str, score: str, resamples: int) -> dict[str, float]:
    ranked = frame[["draw", truth, score]].groupby("draw").rank()
    found = np.array([_pearson(one[score], -one[truth]) for _, one in ranked.groupby(frame["draw"])])
    drawn = np.random.default_rng(0).choice(found, (resamples, len(found))).mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"spearman": float(found.mean()), "low": float(low), "high": float(high)}


def _pearson(a: pd.Series, b: pd.Series) -> float:
    constant = a.nunique() == 1 or b.nunique() == 1
    return 0.0 if constant else float(np.corrcoef(a, b)[0, 1])
