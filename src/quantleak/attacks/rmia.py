"""RMIA: how many population points an example beats in the ratio of target to reference probability.

Source: [Zarifzadeh2024] S. Zarifzadeh, P. Liu, R. Shokri, *Low-Cost High-Power Membership Inference Attacks*,
arXiv 2312.03262. Difference: examples that beat equally many points are ordered by their own ratio, unless a preset
says otherwise. A bare count gives most examples of a confident model the same score and loses the order among them.

With one query and ties broken the ROC curve of a target is that of its ratio r(x). InfoRMIA's score ([Tao2025],
arXiv 2510.05582) is ln r(x) plus a term that is the same for all examples of a target, so its curve is this one too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from quantleak.attacks.shadows import Columns, arrange, by_chunks
from quantleak.errors import InputError, nearest

Mode = Literal["online", "offline"]
References = Literal["all", "largest-half"]
# A normal number: processes that train models flush smaller ones to zero.
_SMALLEST = np.finfo(np.float64).tiny


@dataclass(frozen=True, kw_only=True)
class RMIA:
    """The conventions of a robust membership inference attack.

    Attributes:
        mode: `online` reads IN and OUT references of an example, `offline` only OUT.
        gamma: How many times larger the ratio must be to count as a win. It calibrates scores; the ranking by the
            ratio itself does not depend on it.
        a: In [0, 1], stands in for the IN references where there are none: p_IN = a p_OUT + (1 - a).
        strict: Whether a ratio equal to gamma is no win.
        tie_break: Whether examples that beat equally many points are ordered by their own ratio; else the bare count.
        population_references: p_OUT of a population point is the mean over `all` references, or over the
            `largest-half` of its reference probabilities (floor(S / 2) of S, at least one).

    Raises:
        InputError: If a field is out of range.

    Example:
        >>> RMIA.preset("ml_privacy_meter").gamma
        1.0
    """

    name: ClassVar[str] = "rmia"

    mode: Mode = "online"
    gamma: float = 2.0
    a: float = 0.3
    strict: bool = False
    tie_break: bool = True
    population_references: References = "all"

    def __post_init__(self) -> None:
        for field, allowed in (("mode", Mode), ("population_references", References)):
            value = getattr(self, field)
            if value not in get_args(allowed):
                raise InputError(f"RMIA({field}=...) must be one of {', '.join(get_args(allowed))}, got {value!r}.")
        if not 0 < self.gamma < np.inf or not 0 <= self.a <= 1:
            raise InputError(f"RMIA needs gamma > 0 and a between 0 and 1, got gamma={self.gamma} and a={self.a}.")

    @classmethod
    def presets(cls) -> tuple[str, ...]:
        """Names that `preset` takes."""
        return tuple(_PRESETS)

    @classmethod
    def preset(cls, name: str) -> RMIA:
        """Conventions by name: ours (`default`) or those of a published work.

        Raises:
            InputError: If there is no such preset.
        """
        if name not in _PRESETS:
            raise InputError(f"No RMIA preset {name!r}; there are {', '.join(_PRESETS)}.{nearest(name, _PRESETS)}")
        return cls(**_PRESETS[name])

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return {"name": self.name, **asdict(self)}


_PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "offline": {"mode": "offline"},
    "rmia2024": {"mode": "offline", "gamma": 2.0, "tie_break": False},
    # That tool keeps the largest half of (reference probability times "is OUT"). In an exact half design these are the
    # OUT references of a pool example; a population point is OUT of all references, and loses half of them.
    "ml_privacy_meter": {
        "mode": "offline",
        "gamma": 1.0,
        "a": 0.3,
        "strict": True,
        "tie_break": False,
        "population_references": "largest-half",
    },
}
DEFAULT = RMIA()


def rmia(
    target: np.ndarray,
    shadows: np.ndarray,
    member: np.ndarray,
    *,
    population_target: np.ndarray,
    population_shadows: np.ndarray,
    convention: RMIA = DEFAULT,
    use: np.ndarray | None = None,
) -> np.ndarray:
    r"""Share of population points z with $LR(x, z) = r(x) / r(z) \ge \gamma$, larger = more likely a member.

    $r(u) = p(u \mid \theta) / p(u)$. Online $p(x)$ is the mean of the mean over IN and the mean over OUT references;
    offline, and for every z, whose references are all OUT, $p = ((1 + a) p_{OUT} + 1 - a) / 2$. With $W$ of the $M$
    points beaten the score is $(W + u) / (M + 1)$, where $u \in [0, 1)$ rises with r(x) from the threshold
    $\gamma r(z)$ below it to the one above; without `RMIA.tie_break` it is $W / M$.
    All in logarithms, and by bisection in sorted r(z): no table of N x M. Source: [Zarifzadeh2024], eq. (2) and
    appendix on the offline attack.

    Args:
        target: ln p(true label) of the attacked models, [N] or [T, N] (queries as in `lira`: the mean of their scores).
        shadows: The same of the reference models, [S, N].
        member: [S, N] bool, whether each reference was trained on each example.
        population_target: ln p(true label) of the attacked models on points nobody was trained on, [M] or [T, M].
        population_shadows: The same of the reference models, [S, M].
        convention: The mode, gamma, a, and what becomes of ties.
        use: [S, N] bool, which references may be read for which example; all where None.

    Returns:
        Scores in [0, 1], [N] or [T, N], float64.

    Raises:
        NotEnoughShadows: If an example has no OUT reference (online: or no IN reference).
        InputError: If shapes disagree or a value is NaN or infinite.

    Example:
        >>> shadows, population = np.log([[0.5, 0.5]]), np.log([[0.5, 0.5, 0.5]])
        >>> rmia(np.log([0.9, 0.1]), shadows, np.array([[False, False]]), population_target=np.log([0.2, 0.4, 0.8]),
        ...      population_shadows=population, convention=RMIA.preset("rmia2024")).round(3).tolist()
        [0.667, 0.0]
    """
    columns = arrange(target, shadows, member, use)
    columns.require(int(convention.mode == "online"), 1, attack=f"RMIA {convention.mode}")
    nobody = np.zeros(np.shape(population_shadows)[:2], dtype=np.bool_)
    population = arrange(population_target, population_shadows, nobody, None, prefix="population_")
    if len(population.target) != len(columns.target):
        raise InputError(
            f"population_target has shape {np.shape(population_target)}; it needs as many targets "
            f"as target, {np.shape(target)}."
        )
    ratio = columns.target - _log_marginal(columns, convention)
    ratio_z = np.sort(population.target - _log_population(population, convention), axis=1)
    scores = [_share_beaten(*pair, convention) for pair in zip(ratio, ratio_z, strict=True)]
    return columns.mean_over_queries(np.stack(scores))


def _share_beaten(ratio: np.ndarray, ratio_z: np.ndarray, convention: RMIA) -> np.ndarray:
    """Scores of ln r(x) against the ascending ln r(z); the count is exactly that of a table of all pairs."""
    compare, gamma = np.greater if convention.strict else np.greater_equal, np.log(convention.gamma)
    beaten = leading_true(lambda index: compare(ratio - ratio_z[index], gamma), ratio_z.size, ratio.shape)
    if not convention.tie_break:
        return beaten / ratio_z.size
    # Rounding must not lift a score to the next count.
    total = np.minimum(beaten + _place_in_gap(ratio, ratio_z + gamma, beaten), (beaten + 1) * (1 - 2.0**-50))
    return np.asarray(total / (ratio_z.size + 1))


def _place_in_gap(ratio: np.ndarray, thresholds: np.ndarray, beaten: np.ndarray) -> np.ndarray:
    """Where ln r(x) lies between the thresholds below and above it: 0 at the lower, 1 at the upper.

    Below all it is 1 / (1 + distance to the lowest), above all 1 - 1 / (1 + distance to the highest).
    """
    here, ends = _spread(ratio), _spread(thresholds)
    lower, upper = ends[np.maximum(beaten - 1, 0)], ends[np.minimum(beaten, ends.size - 1)]
    above, below = np.maximum(here - lower, 0.0), np.maximum(upper - here, 0.0)
    gap = upper - lower
    between = np.minimum(above, gap) / np.maximum(gap, np.finfo(np.float64).tiny)
    outside = np.where(beaten == 0, 1 / (1 + below), 1 - 1 / (1 + above))
    return np.asarray(np.where((beaten == 0) | (beaten == ends.size), outside, between))


def _spread(ratio: np.ndarray) -> np.ndarray:
    """A rising function of ln r that keeps the digits of values next to zero when a distance is taken.

    Sign times 1 / (1 - ln|ln r|) up to |ln r| = 1, and 1 + ln|ln r| beyond. Confident models have probabilities next
    to one, so that ln r is of the order of 1e-10 and less, and its digits would be lost next to a threshold of ln 2.
    """
    size = np.log(np.maximum(np.abs(ratio), _SMALLEST))
    magnitude = 1 + np.abs(size)
    return np.asarray(np.sign(ratio) * np.where(size < 0, 1 / magnitude, magnitude))


def _log_marginal(columns: Columns, convention: RMIA) -> np.ndarray:
    outside = _log_mean(columns.shadows, columns.outside)
    if convention.mode == "offline":
        return _log_offline(outside, convention.a)
    inside = _log_mean(columns.shadows, columns.inside)
    larger, smaller = np.maximum(inside, outside), np.minimum(inside, outside)
    return np.asarray(larger + np.log1p(np.expm1(smaller - larger) / 2))


def _log_population(population: Columns, convention: RMIA) -> np.ndarray:
    shadows = population.shadows
    if convention.population_references == "largest-half":
        half = max(shadows.shape[1] // 2, 1)
        shadows = np.partition(shadows, -half, axis=1)[:, -half:]
    return _log_offline(_log_mean(shadows, np.ones_like(shadows, dtype=np.bool_)), convention.a)


def _log_offline(outside: np.ndarray, a: float) -> np.ndarray:
    """Logarithm of p = ((1 + a) p_OUT + 1 - a) / 2 from that of p_OUT."""
    if a == 1:
        return outside
    # Near one the first form keeps the digits of 1 - p, away from one the second those of p.
    near = np.log1p(np.expm1(np.clip(outside, -1.0, 1.0)) * ((1 + a) / 2))
    far = np.logaddexp(outside + np.log((1 + a) / 2), np.log((1 - a) / 2))
    return np.asarray(np.where(np.abs(outside) < 1, near, far))


def _log_mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Logarithm of the mean of exp(values) over the chosen entries of each row, [rows, S] -> [rows]."""
    return by_chunks(_log_mean_block, values, chosen)


def _log_mean_block(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    # Minus infinity where not chosen; arithmetic is several times faster than np.where here.
    masked = np.minimum(values, (chosen - 0.5) * np.inf)
    largest = masked.max(axis=1, keepdims=True)
    # As exp(v - largest) - 1, so that differences between probabilities next to one keep their digits. Below -40 it is
    # -1 to the last bit, and minus infinity takes ten times as long.
    excess = np.expm1(np.maximum(masked - largest, -40.0))
    return np.asarray(largest[:, 0] + np.log1p(np.einsum("rs,rs->r", excess, chosen) / chosen.sum(axis=1)))


def leading_true(holds: Callable[[np.ndarray], np.ndarray], size: int, shape: tuple[int, ...]) -> np.ndarray:
    """How many of the indices 0 .. size - 1 satisfy a condition that never comes back once it has failed.

    About log2(size) calls, each on a whole array of indices. Unlike a search for a transformed value, this keeps the
    floating arithmetic of the condition, and with it every tie.

    Args:
        holds: Maps indices [*shape] to bool [*shape], entry by entry; monotone: true first, then false.
        size: Number of indices.
        shape: Shape of the result.

    Returns:
        Counts between 0 and `size`, [*shape] int64.

    Example:
        >>> leading_true(lambda index: np.array([1, 4, 9])[index] <= np.array([0, 4, 9]), 3, (3,)).tolist()
        [0, 2, 3]
    """
    low, high = np.zeros(shape, dtype=np.int64), np.full(shape, size, dtype=np.int64)
    for _ in range(size.bit_length()):
        middle = (low + high) >> 1
        # A finished search looks once more at a place that exists, and stays where it is.
        true = holds(np.minimum(middle, size - 1)) & (middle < high)
        low = np.where(true, middle + 1, low)
        high = np.where(true, high, middle)
    return low
