"""Recalibrates a quantized target's signals to the scale of shadows that were never quantized (mode C).

Quantization moves and rescales signals; full-precision shadows then mis-score the target although no information is
gone. The map is fitted on population examples, which neither trained on, and applied to the target's pool signals.
Never regress the shadows on the target: its noise would flatten the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from quantleak.attacks.shadows import finite
from quantleak.errors import InputError

Method = Literal["affine", "monotone"]


class CannotRecalibrate(InputError):
    """The target's signals do not rise with the shadows' on the population; the other modes may still be attacked."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class SignalMap:
    """A rising piecewise linear map of signals, straight beyond its ends.

    Attributes:
        knots: [P] ascending target signals.
        values: [P] the shadow signals they stand for.
        slope: Slope below the first and above the last knot, > 0.
    """

    knots: np.ndarray
    values: np.ndarray
    slope: float

    def __call__(self, signals: np.ndarray) -> np.ndarray:
        """Map target signals of any shape, nats; the largest, which matter most, stay apart from each other."""
        inside = np.interp(signals, self.knots, self.values)
        return np.asarray(inside + self.slope * (signals - np.clip(signals, self.knots[0], self.knots[-1])))


def affine_map(population_target: np.ndarray, population_shadows: np.ndarray) -> SignalMap:
    """Regress the target's signal q on the shadows' mean f, q = intercept + slope f, and invert.

    Args:
        population_target: q, [M] (or [M, Q]), nats.
        population_shadows: [S, M] (or [S, M, Q]) signals of full-precision shadows, all OUT.

    Raises:
        CannotRecalibrate: If the slope is not positive.
        InputError: If shapes disagree or a value is NaN or infinite.

    Example:
        >>> shadows = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]])
        >>> affine_map(0.5 * shadows.mean(axis=0) + 1, shadows)(np.array([2.0, 6.0])).round(6).tolist()
        [2.0, 10.0]
    """
    q, shadows = _checked(population_target, population_shadows)
    f = shadows.mean(axis=0)
    centred = f - f.mean()
    spread = float(centred @ centred)
    slope = float(centred @ q) / spread if spread > 0 else 0.0
    if not slope > 1e-12:
        raise CannotRecalibrate(
            f"The target's signals do not rise with the shadows' on the {q.size} population examples "
            f"(regression slope {slope:g}); attack it in adaptive mode."
        )
    return SignalMap(knots=np.array([q.mean()]), values=np.array([f.mean()]), slope=1 / slope)


def monotone_map(population_target: np.ndarray, population_shadows: np.ndarray) -> SignalMap:
    """Map quantiles of the target's signal to the same quantiles of the shadows' individual signals.

    Equal target signals share their mid-quantile. Knots of equal shadow quantiles are joined into one, so that the map
    rises everywhere and no two signals of the target become one. Beyond the population's range it goes on straight,
    with the ratio of standard deviations as its slope.

    Args:
        population_target: [M] (or [M, Q]), nats.
        population_shadows: [S, M] (or [S, M, Q]), all OUT.

    Raises:
        CannotRecalibrate: If all of the target's, or all of the shadows' signals are equal.
        InputError: If shapes disagree or a value is NaN or infinite.
    """
    q, shadows = _checked(population_target, population_shadows)
    knots, counts = np.unique(q, return_counts=True)
    if knots.size < 2 or not np.ptp(shadows) > 0:
        raise CannotRecalibrate(
            f"The target has {knots.size} distinct signals on the {q.size} population examples, or the shadows one; "
            f"a map of quantiles needs two. Attack it in adaptive mode."
        )
    middle = (np.cumsum(counts) - counts / 2) / q.size
    values, run = np.unique(np.quantile(shadows, middle), return_inverse=True)
    joined = np.bincount(run, weights=knots) / np.bincount(run)
    return SignalMap(knots=joined, values=values, slope=float(shadows.std() / q.std()))


def recalibrate(
    targets: np.ndarray,
    population_targets: np.ndarray,
    population_shadows: np.ndarray,
    *,
    method: Method = "affine",
) -> np.ndarray:
    """Mode C for a fleet: each quantized model's signals on the scale of the OTHER models' full-precision signals.

    Use the result as the `targets` of `leave_one_out` with the full-precision signals as `shadows`. For RMIA map phi
    and take `log_probability` of the result.

    Args:
        targets: [K, N] (or [K, N, Q]) signals of the quantized models on the pool, nats.
        population_targets: [K, M] the same on the population.
        population_shadows: [K, M] signals of the full-precision models on the population; row t trained as target t.
        method: `affine` or `monotone`.

    Returns:
        The mapped signals, the shape of `targets`, float64.

    Raises:
        CannotRecalibrate: If some target's map is undefined.
        InputError: If shapes disagree, a value is NaN or infinite, or the method is unknown.
    """
    if method not in get_args(Method):
        raise InputError(f"recalibrate(method=...) must be one of {', '.join(get_args(Method))}, got {method!r}.")
    fit = affine_map if method == "affine" else monotone_map
    targets = finite(targets, "targets")
    models = len(targets)
    if not models == len(population_targets) == len(population_shadows) or models < 2:
        raise InputError(
            f"recalibrate needs the same 2 or more models in all arrays, got {models}, {len(population_targets)} "
            f"and {len(population_shadows)}."
        )
    others = [np.delete(np.arange(models), t) for t in range(models)]
    return np.stack([fit(population_targets[t], population_shadows[others[t]])(targets[t]) for t in range(models)])


def _checked(target: np.ndarray, shadows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    target, shadows = finite(target, "population_target"), finite(shadows, "population_shadows")
    if not target.size or shadows.shape[1:] != target.shape:
        raise InputError(
            f"population_shadows has shape {shadows.shape}; with population_target {target.shape} "
            f"it must be [models] + that, with at least one example."
        )
    return target.ravel(), shadows.reshape(len(shadows), -1)
