r"""BaVarIA-t: LiRA whose means and variances are uncertain, so that its densities are Student's, not Gaussian.

Source: [Brannvall2026] R. Brännvall, *Exponential-Family Membership Inference: From LiRA and RMIA to BaVarIA*,
arXiv 2603.11799, of which the abstract was at hand: conjugate normal-inverse-gamma priors, Student-t predictive. The
update is the textbook's ([Murphy2007] K. Murphy, *Conjugate Bayesian Analysis of the Gaussian Distribution*,
sections 3 and 4). The prior is ours: (1) its variance and weight are those that LiRA's shrinkage estimates from all
examples ([Smyth2004], see `shrinkage`); (2) its centre is the mean of all examples' means, and the centre's weight
follows from how far these scatter; (3) offline scores are normal deviates of the upper tail, see `bavaria`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from scipy import special

from quantleak.attacks.gaussian import Group, describe
from quantleak.attacks.shadows import NotEnoughShadows, arrange
from quantleak.attacks.shrinkage import MOST
from quantleak.errors import InputError, nearest

Mode = Literal["online", "offline"]


@dataclass(frozen=True, kw_only=True)
class BaVarIA:
    r"""The conventions of a likelihood-ratio attack with normal-inverse-gamma priors.

    Attributes:
        mode: `online` compares IN with OUT shadows; `offline` reads only OUT shadows.
        centre_count: $\kappa_0$, how many observations the prior centre counts for; None estimates it.
        variance_count: $\nu_0$, how many observations the prior variance (then the group's pooled one) counts for;
            None estimates how many, and of which variance.
        floor: Smallest scale of a predictive density, in units of the signal (nats).

    Raises:
        InputError: If a field is out of range.

    Example:
        >>> BaVarIA.preset("offline").mode
        'offline'
    """

    name: ClassVar[str] = "bavaria"

    mode: Mode = "online"
    centre_count: float | None = None
    variance_count: float | None = None
    floor: float = 1e-6

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise InputError(f"BaVarIA(mode=...) must be one of {', '.join(get_args(Mode))}, got {self.mode!r}.")
        counts = [count for count in (self.centre_count, self.variance_count) if count is not None]
        if not self.floor > 0 or not all(0 <= count < np.inf for count in counts):
            raise InputError(
                f"BaVarIA needs floor > 0 and counts that are 0 or larger and finite, got floor={self.floor}, "
                f"centre_count={self.centre_count} and variance_count={self.variance_count}."
            )

    @classmethod
    def presets(cls) -> tuple[str, ...]:
        """Names that `preset` takes."""
        return tuple(_PRESETS)

    @classmethod
    def preset(cls, name: str) -> BaVarIA:
        """Conventions by name.

        Raises:
            InputError: If there is no such preset.
        """
        if name not in _PRESETS:
            raise InputError(f"No BaVarIA preset {name!r}; there are {', '.join(_PRESETS)}.{nearest(name, _PRESETS)}")
        return cls(**_PRESETS[name])

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return {"name": self.name, **asdict(self)}


_PRESETS: dict[str, dict[str, Any]] = {"default": {}, "offline": {"mode": "offline"}}
DEFAULT = BaVarIA()


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Predictive:
    """Student-t densities of a new signal, one per row.

    Attributes:
        freedom: nu_n, degrees of freedom, [rows].
        centre: m_n, [rows].
        scale: sigma_n sqrt(1 + 1 / kappa_n), [rows].
    """

    freedom: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Log density of values [..., rows], nats; equals `scipy.stats.t.logpdf`."""
        half = self.freedom / 2
        # ln B(nu/2, 1/2) + ln(nu)/2: differences of log gamma functions would lose their digits for many degrees.
        normalised = special.betaln(half, 0.5) + 0.5 * np.log(self.freedom) + np.log(self.scale)
        return np.asarray(-(half + 0.5) * self._log_excess(values) - normalised)

    def deviate(self, values: np.ndarray) -> np.ndarray:
        r"""About the normal deviate with the same upper tail, $\pm\frac{8\nu+1}{8\nu+3}\sqrt{\nu \ln(1 + t^2/\nu)}$.

        Rises with the value, and keeps rising where the tail itself is 0 to the last bit. For |t| up to 100 within 6%
        of the exact deviate from 2 degrees of freedom on, within 2% from 8 ([Wallace1959] D. Wallace, *Bounds on Normal
        Approximations to Student's and the Chi-Square Distributions*, Annals of Mathematical Statistics 30(4)).
        """
        size = np.sqrt(self.freedom * self._log_excess(values))
        return np.asarray(np.sign(values - self.centre) * size * (8 * self.freedom + 1) / (8 * self.freedom + 3))

    def _log_excess(self, values: np.ndarray) -> np.ndarray:
        standard = (values - self.centre) / self.scale
        return np.asarray(np.log1p(standard * standard / self.freedom))


def bavaria(
    target: np.ndarray,
    shadows: np.ndarray,
    member: np.ndarray,
    *,
    convention: BaVarIA = DEFAULT,
    use: np.ndarray | None = None,
) -> np.ndarray:
    r"""Likelihood ratio of posterior predictives, larger = more likely a member of the target's training set.

    Online: $\Lambda = \ln t_{\nu_{in}}(s; m_{in}, \tau_{in}) - \ln t_{\nu_{out}}(s; m_{out}, \tau_{out})$. For n
    shadows of mean $\bar s$ and sum of squared deviations $S$, and the prior of their group,
    $(m_0, \kappa_0, \nu_0, \sigma_0^2)$: $\kappa = \kappa_0 + n$, $\nu = \nu_0 + n$,
    $m = (\kappa_0 m_0 + n \bar s)/\kappa$, $\nu\sigma^2 = \nu_0\sigma_0^2 + S + \kappa_0 n (\bar s - m_0)^2/\kappa$ and
    $\tau^2 = \sigma^2 (1 + 1/\kappa)$.
    Offline: the normal deviate that has the upper tail of s under the OUT predictive. The mean over queries.
    Source: [Brannvall2026], [Murphy2007].

    Args:
        target: Signals s (phi, nats) of the attacked models, shapes as in `lira`.
        shadows: The same signals of the shadow models, [S, N] or [S, N, Q].
        member: [S, N] bool, whether each shadow was trained on each example; the target's own is no input.
        convention: The mode and the prior's weights.
        use: [S, N] bool, which shadows may be read for which example; all where None.

    Returns:
        Scores, [N] or [T, N], float64.

    Raises:
        NotEnoughShadows: If some example has no shadow in a group that is read, or none has the two that a variance
            needs.
        InputError: If shapes disagree or a signal is NaN or infinite.

    Example:
        >>> shadows = np.array([[2.0], [3.0], [4.0], [0.0], [1.0], [2.0]])
        >>> member = np.array([[True]] * 3 + [[False]] * 3)
        >>> bavaria(np.array([[3.0], [2.0], [1.0]]), shadows, member).round(2).tolist()
        [[2.0], [0.0], [-2.0]]
    """
    columns = arrange(target, shadows, member, use)
    online = convention.mode == "online"
    columns.require(int(online), 1, attack=f"BaVarIA {convention.mode}")
    outside = _predictive(describe(columns.shadows, columns.outside, "mean"), convention)
    if not online:
        return columns.mean_over_queries(outside.deviate(columns.target))
    inside = _predictive(describe(columns.shadows, columns.inside, "mean"), convention)
    return columns.mean_over_queries(inside.log_density(columns.target) - outside.log_density(columns.target))


def _predictive(group: Group, convention: BaVarIA) -> Predictive:
    """The normal-inverse-gamma update of every row under the group's prior."""
    if group.freedom == 0:
        raise NotEnoughShadows(
            "BaVarIA needs one example with two shadows in each group it fits, and there is none. "
            "Train at least 6 models with every example in exactly half of them."
        )
    prior = group.variance_prior(convention.variance_count)
    start = group.centre.mean()
    weight = _centre_count(group) if convention.centre_count is None else convention.centre_count
    kappa, freedom = weight + group.count, prior.count + group.count
    shift = weight * group.count / kappa * np.square(group.centre - start)
    variance = (prior.count * prior.variance + group.squares + shift) / freedom
    return Predictive(
        freedom=freedom,
        centre=(weight * start + group.count * group.centre) / kappa,
        scale=np.maximum(np.sqrt(variance * (1 + 1 / kappa)), convention.floor),
    )


def _centre_count(group: Group) -> float:
    """kappa_0 by moments: the pooled variance over that of the examples' true centres, at most 1e6.

    The means of the rows scatter by the variance of true centres and by sigma^2 / n; what is left of their variance
    after taking off the second is the first.
    """
    within = group.pooled_variance
    between = float(group.centre.var() - within * (1 / group.count).mean())
    return min(within / between, MOST) if between > 0 else MOST
