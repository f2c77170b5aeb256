"""Scores of one model's loss table: the paper's r_Q, competing estimators, controls at equal counts, searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from quantleak.theory import privacy_rate
from quantleak.theory.cramer import Exponents, cramer_rate_of
from quantleak.theory.finite import finite_rate_of
from quantleak.theory.gaps import Gaps, moments
from quantleak.theory.rate import privacy_rate_of
from quantleak.theory.table import row_means

SEARCHED = ("searched", "searched_better")


def neighbours(best: Tensor) -> Tensor:
    """Every element that differs from `best` `[P]` in one weight, moved to the next value up or down that it uses.

    Returns:
        `[R, P]`; R = P where two values are used, up to 2 P.

    Example:
        >>> neighbours(torch.tensor([-1.0, 1.0]))
        tensor([[ 1.,  1.],
                [-1., -1.]])
    """
    values, place = best.unique(return_inverse=True)
    moved = []
    for step in (1, -1):
        able = ((place + step >= 0) & (place + step < len(values))).nonzero().flatten()
        rows = best.repeat(len(able), 1)
        rows[torch.arange(len(able)), able] = values[place[able] + step]
        moved.append(rows)
    return torch.cat(moved)


def searched_rate(best: Tensor, losses: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    """r_Q of the best element and its neighbours, and the share of neighbours with a smaller mean loss.

    Args:
        best: An element `[P]`.
        losses: From `[B, P]` to per-sample losses `[B, N]`.
    """
    table = losses(torch.cat([best[None], neighbours(best)]))
    means = table.double().mean(1)
    return float(privacy_rate(table)), float((means[1:] < means[0]).double().mean())


def scores(measured: Gaps, examples: int) -> dict[str, float]:
    """Every estimator that needs only the table `[K, N]` of one model under one quantizer, larger = more private.

    Args:
        measured: The table of the distinct elements, measured.
        examples: n, the size of the training set, for the rates at finite n.

    Returns:
        `r_q` and `cramer` (the paper's pair); `z`; `elements`; `closest`: the place of the closest competitor
        in the order of mean loss, 2 = the second best (where `Lambda_kk` is largest); `finite` (see
        `finite_rate`) at n, `finite_4` at n / 4 and `finite_16` at 16 n; `tenth`: r_Q with the tenth
        closest competitor in place of the closest; `harmonic`: with the harmonic mean over competitors; `crossfit`: the
        best element chosen on one half of the validation examples and compared on the other, both ways.
    """
    r_q, squared = privacy_rate_of(measured), measured.signal_to_noise
    ordered = squared.sort().values
    return {
        "r_q": r_q.value,
        "cramer": cramer_rate_of(Exponents(measured)).value,
        "z": r_q.z,
        "elements": float(r_q.elements),
        "closest": float(squared.argmin()) + 2 if len(squared) else math.nan,
        "finite": finite_rate_of(measured, examples),
        "finite_4": finite_rate_of(measured, max(1, examples // 4)),
        "finite_16": finite_rate_of(measured, 16 * examples),
        "tenth": float(ordered[9] / 2) if len(ordered) > 9 else math.nan,
        "harmonic": float(len(squared) / (2 / squared).sum()) if len(squared) else math.nan,
        "crossfit": crossfit(measured.losses),
    }


def crossfit(losses: Tensor) -> float:
    r"""r_Q with the best element from other examples than those that compare it: `1/2 min_k sign(d_k) (d_k / s_k)^2`.

    Negative where some competitor beats the chosen element on the half that judges; the mean of both ways. NaN with
    fewer than two elements.
    """
    if len(losses) < 2:
        return math.nan
    halves = [half.contiguous() for half in losses.split((losses.shape[1] + 1) // 2, dim=1)]
    return float(np.mean([_judged(*pair) for pair in (halves, halves[::-1])]))


def _judged(choosing: Tensor, judging: Tensor) -> float:
    delta, variance = moments(judging, int(row_means(choosing).argmin()))
    ratio = (delta.sign() * delta.square() / variance)[variance > 0]
    return float(ratio.min() / 2) if len(ratio) else math.nan


def at_equal_counts(measured: Mapping[str, Gaps], random: np.random.Generator) -> dict[str, dict[str, float]]:
    """r_Q of every quantizer from equally many elements of one model's trajectory.

    The count is the smallest that any quantizer has: drawn at `random`, the `last` visited, the `best` by mean loss.

    Args:
        measured: By quantizer, the table `[K, N]` of the distinct elements in the order of their first visits.
        random: Draws the elements.
    """
    count = min(len(table.losses) for table in measured.values())
    found: dict[str, dict[str, float]] = {}
    for spec, all_ in measured.items():
        table, closest = all_.losses, all_.signal_to_noise[: count - 1]
        drawn = torch.from_numpy(random.choice(len(table), count, replace=False))
        found[spec] = {
            "equal_random": float(privacy_rate(table.index_select(0, drawn))),
            "equal_last": float(privacy_rate(table[-count:])),
            "equal_best": float(closest.min() / 2) if len(closest) else math.nan,
        }
    return found
