"""LiRA: is the target's signal on an example more like that of models trained with it, or without it?

Source: [Carlini2022] N. Carlini et al., *Membership Inference Attacks From First Principles*, arXiv 2112.03570,
algorithm 1. Differences: (1) variances are shrunk to the pooled one unless a preset says otherwise, because the signals
of quantized models repeat and their raw variances reach zero; (2) over several queries the mean is taken, not the sum;
(3) offline one-sided scores are z-values, not Phi(z), which saturates and would tie the most exposed members.

Presets of published works follow their code (the authors' and, for `quant-mia`, that of arXiv 2512.15335): medians,
standard deviations with ddof 0, 1e-30 against zeros. Where they differ from it: (4) the code cuts all examples to the
smallest number of shadows that any of them has, by position; here all are read, which is the same for an exact half
design; (5) the single deviation of `carlini2022-fixed` is the pooled one within examples, the code's that of the IN
signals over everything: the ranking does not depend on it; (6) `carlini2022-offline` has the one-sided tail of the
paper, where the code of both is two-sided: that is `quant-mia-offline`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from quantleak.attacks.gaussian import Centre, Group, describe, log_normal
from quantleak.attacks.shadows import Columns, NotEnoughShadows, arrange
from quantleak.errors import InputError, nearest

Mode = Literal["online", "offline"]
Variance = Literal["shrunk", "example", "global"]
Tail = Literal["one", "two"]


@dataclass(frozen=True, kw_only=True)
class LiRA:
    """The conventions of a likelihood-ratio attack.

    Attributes:
        mode: `online` compares IN with OUT shadows; `offline` reads only OUT shadows.
        variance: `shrunk`: per example and group, weighted with the pooled one by count; `example`: per example and
            group, ddof 0; `global`: one within-example variance for everything.
        tail: Offline only. `one`: z = (s - mu_out) / sigma_out; `two`: -ln N(s; mu_out, sigma_out), for which an
            unusually low signal is evidence of membership too.
        centre: mu is the `median` or the `mean` of the shadows.
        prior_count: Under `shrunk`, how many observations the pooled variance counts for; None estimates from all
            examples how many, and of which variance.
        floor: Smallest standard deviation, in units of the signal (nats).

    Raises:
        InputError: If a field has a value that is not listed.

    Example:
        >>> LiRA.preset("carlini2022").variance
        'example'
    """

    name: ClassVar[str] = "lira"

    mode: Mode = "online"
    variance: Variance = "shrunk"
    tail: Tail = "one"
    centre: Centre = "median"
    prior_count: float | None = None
    floor: float = 1e-6

    def __post_init__(self) -> None:
        for field, allowed in (("mode", Mode), ("variance", Variance), ("tail", Tail), ("centre", Centre)):
            value = getattr(self, field)
            if value not in get_args(allowed):
                raise InputError(f"LiRA({field}=...) must be one of {', '.join(get_args(allowed))}, got {value!r}.")
        if not self.floor > 0 or (self.prior_count is not None and not self.prior_count > 0):
            raise InputError(f"LiRA needs prior_count > 0 and floor > 0, got {self.prior_count} and {self.floor}.")

    @classmethod
    def presets(cls) -> tuple[str, ...]:
        """Names that `preset` takes."""
        return tuple(_PRESETS)

    @classmethod
    def preset(cls, name: str) -> LiRA:
        """Conventions by name: ours (`default`) or those of a published work.

        Raises:
            InputError: If there is no such preset.
        """
        if name not in _PRESETS:
            raise InputError(f"No LiRA preset {name!r}; there are {', '.join(_PRESETS)}.{nearest(name, _PRESETS)}")
        return cls(**_PRESETS[name])

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return {"name": self.name, **asdict(self)}


_RAW: dict[str, Any] = {"variance": "example", "floor": 1e-30}
_PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "offline": {"mode": "offline"},
    "carlini2022": _RAW,
    "carlini2022-fixed": {"variance": "global", "floor": 1e-30},
    "carlini2022-offline": {**_RAW, "mode": "offline"},
    "quant-mia": _RAW,
    "quant-mia-offline": {**_RAW, "mode": "offline", "tail": "two"},
}


DEFAULT = LiRA()


def lira(
    target: np.ndarray,
    shadows: np.ndarray,
    member: np.ndarray,
    *,
    convention: LiRA = DEFAULT,
    use: np.ndarray | None = None,
) -> np.ndarray:
    r"""Likelihood-ratio score of every example, larger = more likely a member of the target's training set.

    Online: $\Lambda = \ln N(s; \mu_{in}, \sigma_{in}^2) - \ln N(s; \mu_{out}, \sigma_{out}^2)$; offline: see
    `LiRA.tail`. The mean over queries. Source: [Carlini2022], eq. (4) and algorithm 1.

    Args:
        target: Signals s (phi, nats) of the attacked models, [N] or [T, N]; with Q aligned queries of each example
            [N, Q] or [T, N, Q].
        shadows: The same signals of the shadow models, [S, N] or [S, N, Q].
        member: [S, N] bool, whether each shadow was trained on each example; the target's own is no input.
        convention: How to fit and score.
        use: [S, N] bool, which shadows may be read for which example; all where None.

    Returns:
        Scores, [N] or [T, N], float64.

    Raises:
        NotEnoughShadows: If some example has fewer shadows in a group than its fit needs (one; two for
            `variance="example"`), or none has the two that a pooled variance needs.
        InputError: If shapes disagree or a signal is NaN or infinite.

    Example:
        >>> shadows = np.array([[2.0], [3.0], [4.0], [0.0], [1.0], [2.0]])
        >>> member = np.array([[True]] * 3 + [[False]] * 3)
        >>> lira(np.array([[3.0], [2.0], [1.0]]), shadows, member).round(6).tolist()
        [[2.0], [0.0], [-2.0]]
    """
    columns = arrange(target, shadows, member, use)
    enough = 2 if convention.variance == "example" else 1
    attack = f"LiRA {convention.mode}, variance={convention.variance!r},"
    if convention.mode == "offline":
        columns.require(0, enough, attack=attack)
        return columns.mean_over_queries(_offline(columns, convention))
    columns.require(enough, enough, attack=attack)
    return columns.mean_over_queries(_online(columns, convention))


def _online(columns: Columns, convention: LiRA) -> np.ndarray:
    inside = describe(columns.shadows, columns.inside, convention.centre)
    outside = describe(columns.shadows, columns.outside, convention.centre)
    scale_in, scale_out = _scales([inside, outside], convention)
    trained = log_normal(columns.target, inside.centre, scale_in)
    return np.asarray(trained - log_normal(columns.target, outside.centre, scale_out))


def _offline(columns: Columns, convention: LiRA) -> np.ndarray:
    outside = describe(columns.shadows, columns.outside, convention.centre)
    (scale,) = _scales([outside], convention)
    if convention.tail == "two":
        return np.asarray(-log_normal(columns.target, outside.centre, scale))
    return np.asarray((columns.target - outside.centre) / scale)


def _scales(groups: list[Group], convention: LiRA) -> list[np.ndarray]:
    """Standard deviation of every row, one array per group."""
    if convention.variance == "example":
        variances = [group.squares / group.count for group in groups]
    elif min(group.freedom for group in groups) == 0:
        raise NotEnoughShadows(
            f"LiRA with variance={convention.variance!r} needs one example with two shadows in each group it fits, "
            f"and there is none. Train at least 6 models with every example in exactly half of them."
        )
    elif convention.variance == "global":
        squares, freedom = (sum(group.squares.sum() for group in groups), sum(group.freedom for group in groups))
        variances = [np.full_like(group.squares, squares / freedom) for group in groups]
    else:
        variances = [group.shrunk_variance(convention.prior_count) for group in groups]
    return [np.maximum(np.sqrt(variance), convention.floor) for variance in variances]
