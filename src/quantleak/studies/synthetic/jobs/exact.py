"""Exact security on small problems, beside what the theory says of them: where does the rate rank, where mislead?

Nothing is trained: data and parameters are finite, MIS comes from enumeration. Source: [Aubinais2025]_ Aubinais,
Formont, Piantanida, Gassiat: Membership Inference Risks in Quantized Models, arXiv 2502.06567.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from quantleak.studies.synthetic.jobs.exact_quantizers import quantizers, ranking
from quantleak.studies.synthetic.jobs.fresh import Arrays
from quantleak.theory import ExactMis, erm_certificate, erm_mis, rates
from quantleak.theory.exact import attack_bound, population_table, slope

SIZES = (5, 10, 20, 40)
"""Training examples; each n is set beside 2n."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Equally likely examples and a finite set of parameters.

    Attributes:
        name: In one or two words.
        about: What it shows, in one sentence.
        losses: Whole numbers [K, z].
    """

    name: str
    about: str
    losses: np.ndarray

    @property
    def probabilities(self) -> tuple[Fraction, ...]:
        """P [z]."""
        examples = int(self.losses.shape[1])
        return (Fraction(1, examples),) * examples

    def mis(self, n: int) -> ExactMis:
        """MIS of the empirical-risk minimiser; a tie goes to the first parameter."""
        return erm_mis(self.losses, self.probabilities, n)


def problem(name: str, about: str, losses: Sequence[Sequence[int]]) -> Problem:
    """A problem from lists."""
    return Problem(name=name, about=about, losses=np.array(losses))


PROBLEMS = (
    problem(
        "coin", "One competitor: worse by 1 on three examples of four, better by 1 on one.", [[1] * 4, [0, 2, 2, 2]]
    ),
    problem(
        "four competitors",
        "Four competitors like that of the coin, one for every example: the rates are the same, the leak is not.",
        [[1] * 4, *(2 - 2 * np.eye(4, dtype=int)).tolist()],
    ),
    problem(
        "tie", "Two parameters of equal risk: both rates are 0, the leak falls like 1 / sqrt(n).", [[0, 1], [1, 0]]
    ),
    problem(
        "rare win",
        "The competitor is worse by 3 on nine examples of ten and better by 7 on one: r_Q promises more than is true.",
        [[0] * 9 + [7], [3] * 9 + [0]],
    ),
    problem(
        "rare loss",
        "On the same examples, worse by 9 on four and better by 1 on six: r_Q promises less than is true.",
        [[0] * 4 + [1] * 6, [9] * 4 + [0] * 6],
    ),
    problem(
        "close call",
        "Twelve competitors, each wrong on five neighbours of twelve examples, the best on every third: too many "
        "counts to enumerate from n = 20 on.",
        [[1, 0, 0] * 4, *(np.roll([1] * 5 + [0] * 7, k).tolist() for k in range(12))],
    ),
)
"""Between "rare win" and "rare loss", two parameter sets on the same ten examples, the second-order score misleads."""


def problems(sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """MIS, its exponent and its slope beside the rates, for every named problem.

    Returns:
        One row for each (problem, n): `mis` with `low` and `high` (equal where `method` is "enumeration"), `leak` =
        1 - MIS, `exponent` = -ln(leak(n)) / n and `slope` = ln(leak(n) / leak(2n)) / n (both NaN where not
        enumerated), `cramer` and `r_q` of the population, `certificate` (lower bound on MIS), `p_1`, `loss_bound` (the
        LOSS attack's upper bound on MIS, NaN where not enumerated) and `elements`.
    """
    return pd.DataFrame([row for one in PROBLEMS for row in _rows(one, sizes)])


def _rows(one: Problem, sizes: Sequence[int]) -> list[dict[str, Any]]:
    exact = {n: one.mis(n) for n in sorted({*sizes, *(2 * n for n in sizes)})}
    table = population_table(one.losses, one.probabilities)
    population = rates(table)
    return [
        {
            "problem": one.name,
            **_security(exact[n], exact[2 * n], one.losses),
            "cramer": population.cramer.value,
            "r_q": population.r_q.value,
            "certificate": erm_certificate(table, n).value,
            "elements": len(one.losses),
        }
        for n in sizes
    ]


def _security(exact: ExactMis, twice: ExactMis, losses: np.ndarray) -> dict[str, Any]:
    enumerated = exact.method == "enumeration"
    return {
        "n": exact.n,
        "mis": exact.value,
        "low": exact.low,
        "high": exact.high,
        "leak": exact.leak,
        "exponent": exact.exponent if enumerated else math.nan,
        "slope": slope(exact, twice) if twice.method == "enumeration" else math.nan,
        "p_1": exact.p_1,
        "loss_bound": attack_bound(exact, -losses) if enumerated else math.nan,
        "method": exact.method,
    }


@dataclass(frozen=True)
class ExactJob:
    """Enumerate the named problems, and small worlds in which real quantizers are compared."""

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """The frames as plain values; `frames` reads them back."""
        start = time.perf_counter()
        worlds = quantizers()
        made = {"problems": problems(), "quantizers": worlds, "ranking": ranking(worlds)}
        plain = {name: frame.to_dict("list") for name, frame in made.items()}
        return {}, {"frames": plain, "seconds": time.perf_counter() - start}


def frames(meta: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The frames by name: `problems`, `quantizers`, `ranking`."""
    return {name: pd.DataFrame(columns) for name, columns in meta["frames"].items()}
