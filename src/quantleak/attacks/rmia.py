"""RMIA: how many population points does an example beat in the ratio of target to reference probability?

Source: [Zarifzadeh2024] S. Zarifzadeh, P. Liu, R. Shokri, *Low-Cost High-Power Membership Inference Attacks*,
arXiv 2312.03262.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from quantleak.attacks.bisect import leading_true
from quantleak.attacks.blocks import by_blocks
from quantleak.attacks.shadows import Columns, arrange
from quantleak.errors import InputError, nearest

Mode = Literal["online", "offline"]


@dataclass(frozen=True, kw_only=True)
class RMIA:
    """The conventions of a robust membership inference attack.

    Attributes:
        mode: `online` reads IN and OUT references of an example, `offline` only OUT.
        gamma: How many times larger the ratio must be to count as a win. It calibrates scores; the ranking by the
            ratio itself does not depend on it, only how many examples tie at 0 and at 1.
        a: In [0, 1], stands in for the IN references where there are none: p_IN = a p_OUT + (1 - a).
        strict: Whether a ratio equal to gamma is no win.

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

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise InputError(f"RMIA(mode=...) must be one of {', '.join(get_args(Mode))}, got {self.mode!r}.")
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
    "rmia2024": {"mode": "offline", "gamma": 2.0},
    "ml_privacy_meter": {"mode": "offline", "gamma": 1.0, "strict": True},
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
    offline, and for every z, whose references are all OUT, $p = ((1 + a) p_{OUT} + 1 - a) / 2$.
    All in logarithms, and by bisection in sorted r(z): no table of N x M. Source: [Zarifzadeh2024], eq. (2) and
    appendix on the offline attack.

    Args:
        target: ln p(true label) of the attacked models, [N] or [T, N] (queries as in `lira`: the mean of their scores).
        shadows: The same of the reference models, [S, N].
        member: [S, N] bool, whether each reference was trained on each example.
        population_target: ln p(true label) of the attacked models on points nobody was trained on, [M] or [T, M].
        population_shadows: The same of the reference models, [S, M].
        convention: gamma, a and the mode.
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
    rivals = np.sort(population.target - _log_offline(population, convention.a), axis=1)
    wins = [_share_beaten(*pair, convention) for pair in zip(ratio, rivals, strict=True)]
    return columns.mean_over_queries(np.stack(wins))


def _share_beaten(ratio: np.ndarray, rivals: np.ndarray, convention: RMIA) -> np.ndarray:
    """Share of the ascending ln r(z) with ln r(x) - ln r(z) >= ln gamma, exactly as a table of all pairs has it."""
    compare, gamma = np.greater if convention.strict else np.greater_equal, np.log(convention.gamma)
    beaten = leading_true(lambda index: compare(ratio - rivals[index], gamma), rivals.size, ratio.shape)
    return beaten / rivals.size


def _log_marginal(columns: Columns, convention: RMIA) -> np.ndarray:
    if convention.mode == "offline":
        return _log_offline(columns, convention.a)
    inside = _log_mean(columns.shadows, columns.inside)
    outside = _log_mean(columns.shadows, columns.outside)
    return np.asarray(np.logaddexp(inside, outside) - np.log(2))


def _log_offline(columns: Columns, a: float) -> np.ndarray:
    """Logarithm of p = ((1 + a) p_OUT + 1 - a) / 2."""
    outside = _log_mean(columns.shadows, columns.outside) + np.log((1 + a) / 2)
    return outside if a == 1 else np.asarray(np.logaddexp(outside, np.log((1 - a) / 2)))


def _log_mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Logarithm of the mean of exp(values) over the chosen entries of each row, [rows, S] -> [rows]."""
    return by_blocks(_log_mean_block, values, chosen)


def _log_mean_block(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    # Minus infinity where not chosen; arithmetic is several times faster than np.where here.
    masked = np.minimum(values, (chosen - 0.5) * np.inf)
    largest = masked.max(axis=1, keepdims=True)
    # The sum is at least 1, to which exp(-700) adds nothing; exp of minus infinity takes ten times as long.
    scaled = np.exp(np.maximum(masked - largest, -700.0))
    return np.asarray(largest[:, 0] + np.log(scaled.sum(axis=1) / chosen.sum(axis=1)))
