"""MIS from drawn training sets, with an interval that holds at every number of draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from quantleak.errors import InputError
from quantleak.theory.exact.distribution import distribution
from quantleak.theory.exact.enumeration import CHUNK
from quantleak.theory.exact.learners import Learner
from quantleak.theory.exact.record import ExactMis


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to sample.

    Attributes:
        draws: M, training sets drawn; even, at least 2.
        seed: Of the draws.
        level: Confidence level of the interval, between 0 and 1.

    Raises:
        InputError: If a setting is out of range.
    """

    draws: int = 20_000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.draws < 2 or self.draws % 2:
            raise InputError(f"draws must be an even number of at least 2, got {self.draws}; try 20000.")
        if not 0 < self.level < 1:
            raise InputError(f"level must lie between 0 and 1, got {self.level}; for 95% write 0.95.")


DEFAULT = Sampling()


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """Means over a number of drawn training sets.

    Attributes:
        chosen: Of the law of the parameters [K].
        deviation: Of `P(k | c) (c_z / n - p_z)` [K, z].
        square: Of `TV(c / n, P)^2`, which bounds the square of what any attack gains on one training set.
    """

    chosen: np.ndarray
    deviation: np.ndarray
    square: float


def sample_mis(learner: Learner, probabilities: object, n: int, sampling: Sampling = DEFAULT) -> ExactMis:
    r"""MIS of a learner by sampling, for where there are too many counts to enumerate.

    With :math:`X_i(f) = \sum_{k,z} f(k,z) P(k \mid c_i)(c_{iz}/n - p_z)` the gain of attack f on training set i,
    :math:`1 - MIS = \max_f E X(f)`.

    1. *Lower limit of the leak.* The attack that is best on one half of the draws, judged on the other: no attack
       gains more than the leak.
    2. *Upper limit.* The best attack on all draws gains at least what the truly best one does there. That one is a
       single function which does not depend on the draws, so no union over attacks is paid.

    Each lies off its mean by at most Bernstein's :math:`\sqrt{2 s L / M} + 2 L / (3 M)` with
    :math:`\sqrt s \le \sqrt{\bar T^2 + L / (2M)} + \sqrt{L / (2M)}`, where :math:`\bar T^2` is the mean of
    :math:`TV(c_i / n, P)^2 \ge X_i(f)^2`, and `L = ln(3 / (1 - level))` for three events: **coverage is at least
    `level` for every M, learner and P**. The plain estimate is biased upwards; `leak` is the mean of it and of the
    cross-fitted one, whose expectations enclose the truth. A leak below `1 / M` or so is not resolved.

    Args:
        learner: The learner.
        probabilities: P [z], positive, sum 1.
        n: Number of training examples.
        sampling: Number of draws, seed and level.

    Raises:
        InputError: If P is no distribution or n is not positive.
    """
    p = distribution(probabilities, n)
    random = np.random.default_rng(sampling.seed)
    half = sampling.draws // 2
    first, second = (_draw(learner, p, n, half, random) for _ in range(2))
    whole = (first.deviation + second.deviation) / 2
    plain, honest = _gain(whole, whole), _gain(first.deviation, second.deviation)
    log = math.log(3 / (1 - sampling.level))
    spread = _second_moment((first.square + second.square) / 2, log / sampling.draws)
    lower = max(0.0, honest - _bernstein(spread, log / half))
    upper = max(lower, min(1.0, plain + _bernstein(spread, log / sampling.draws)))
    crossed = (honest + _gain(second.deviation, first.deviation)) / 2
    leak = float(np.clip((plain + crossed) / 2, lower, upper))
    return ExactMis(
        value=1 - leak,
        low=1 - upper,
        high=1 - lower,
        leak=leak,
        n=n,
        method="sampling",
        chosen=(first.chosen + second.chosen) / 2,
        probabilities=p,
        deviation=whole,
    )


def _draw(learner: Learner, p: np.ndarray, n: int, draws: int, random: np.random.Generator) -> Drawn:
    chosen, deviation, square = np.zeros(learner.elements), np.zeros((learner.elements, len(p))), 0.0
    rows = max(1, CHUNK // (learner.elements + len(p)))
    for first in range(0, draws, rows):
        counts = random.multinomial(n, p, size=min(rows, draws - first))
        law, off = learner.law(counts), counts / n - p
        chosen += law.sum(0)
        deviation += law.T @ off
        square += float(np.square(np.abs(off).sum(1) / 2).sum())
    return Drawn(chosen=chosen / draws, deviation=deviation / draws, square=square / draws)


def _gain(chosen_on: np.ndarray, judged_on: np.ndarray) -> float:
    """Mean gain on one set of draws of the attack that is best on another."""
    return float(judged_on[chosen_on > 0].sum())


def _second_moment(mean: float, log_per_draw: float) -> float:
    """Upper limit of the expectation of a variable in [0, 1] from its mean."""
    return (math.sqrt(mean + log_per_draw / 2) + math.sqrt(log_per_draw / 2)) ** 2


def _bernstein(second_moment: float, log_per_draw: float) -> float:
    """How far a mean of variables in [-1, 1] lies from its expectation at most."""
    return math.sqrt(2 * second_moment * log_per_draw) + 2 * log_per_draw / 3
