r"""Scores every example by a p-value of its own: how unusual is the target's signal among the example's OUT shadows?

The p-value claims a false positive rate for each example alone, whereas one threshold over all examples claims it for
their mixture only. `calibrated` gives the true positive rate at the rate that is claimed, and checks the claim.

Source: [Geisser1993] S. Geisser, *Predictive Inference*, chapter 2: the predictive distribution of one more Gaussian
observation is Student's t. Difference: where all OUT shadows agree there is no fit, and the p-value is that of ranks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import special

from quantleak.arrays import mask
from quantleak.attacks.evaluation.influence import share_influence
from quantleak.attacks.gaussian import describe
from quantleak.attacks.shadows import arrange
from quantleak.errors import InputError

FEWEST_EXPECTED = 20
"""False positives that alpha must lead one to expect among all non-member cells before the claim is judged."""

LARGEST_FACTOR = 1.5
"""The achieved false positive rate may differ from alpha by this factor either way."""


def per_example(
    target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray | None = None
) -> np.ndarray:
    r"""Score = -ln p of every example, larger = more likely a member; `numpy.exp(-score)` is the p-value.

    .. math:: p = P\left(T_{n-1} \ge \frac{s - m}{d \sqrt{1 + 1/n}}\right)

    with mean m and standard deviation d (ddof 1) of the example's n OUT shadows. If its signals are Gaussian and the
    target is a non-member, p is uniform on [0, 1], whatever the example's difficulty and however few the shadows.

    Several queries are averaged into one signal per model first: p-values of dependent queries have no such mean.
    Where all OUT shadows of an example are equal, the t statistic is undefined and the rank decides, which needs no
    distribution: p = 1 / (n + 1) if the target's signal is larger than theirs, else 1. That p-value is conservative.

    Args:
        target: Signals s (phi, nats) of the attacked models, [N] or [T, N]; with Q aligned queries of each example
            [N, Q] or [T, N, Q].
        shadows: The same signals of the shadow models, [S, N] or [S, N, Q]. Only OUT shadows are read.
        member: [S, N] bool, whether each shadow was trained on each example.
        use: [S, N] bool, which shadows may be read for which example; all where None.

    Returns:
        -ln p, [N] or [T, N], float64, nats, at least 0; increasing in the signal and finite however large it is, also
        where p underflows. More than 1e150 deviations below the mean it is 0.

    Raises:
        NotEnoughShadows: If some example has fewer than 2 OUT shadows.
        InputError: If shapes disagree or a signal is NaN or infinite.

    Example:
        >>> shadows, out = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([[False], [False], [False], [True]])
        >>> np.exp(-per_example(np.array([[1.0], [4.0]]), shadows, out)).round(4).tolist()
        [[0.5], [0.0608]]
    """
    columns = arrange(target, shadows, member, use)
    columns.require(0, 2, attack="The per-example p-value")
    queries, models = columns.queries, columns.shadows.shape[1]
    signal = columns.target.reshape(len(columns.target), -1, queries).mean(axis=-1)
    reference = np.ascontiguousarray(columns.shadows.reshape(-1, queries, models).mean(axis=1))
    outside = columns.outside[::queries]
    group = describe(reference, outside, "mean")
    highest = np.max(reference, axis=1, where=outside, initial=-np.inf)
    equal = highest == np.min(reference, axis=1, where=outside, initial=np.inf)
    scale = np.sqrt(np.where(equal, 1.0, group.squares / (group.count - 1) * (1 + 1 / group.count)))
    fitted = -_log_upper_tail((signal - group.centre) / scale, group.count - 1)
    scores = np.where(equal, np.log1p(group.count) * (signal > highest), fitted)
    return np.asarray(scores[0] if columns.single else scores)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Calibrated:
    """The true positive rate at the false positive rate that p-values claim, and whether the claim holds.

    Attributes:
        alpha: The claimed false positive rate: examples with p <= alpha are called members.
        tpr: Mean over targets of the share of members with p <= alpha; None where the claim fails or cannot be judged.
        reason: Why there is no `tpr`.
        achieved: Share of the (target, non-member) cells with p <= alpha.
        cells: Number of these cells.
        spread: Standard deviation over examples of their own false positive rates, beyond binomial noise; None where
            fewer than two examples are a non-member of two targets.
        values: [T] share of each target's members with p <= alpha, whatever the claim.
        influence: [T, N] what each example adds to its target's value; see `quantleak.attacks.evaluation.influence`.
    """

    alpha: float
    tpr: float | None
    reason: str | None
    achieved: float
    cells: int
    spread: float | None
    values: np.ndarray = field(repr=False)
    influence: np.ndarray = field(repr=False)


def calibrated(p_values: np.ndarray, member: np.ndarray, fprs: tuple[float, ...]) -> dict[float, Calibrated]:
    """True positive rates at claimed false positive rates, refused where the p-values are wrong in their tail.

    The claim is judged on the non-members of every target. Their signals took no part in the p-values of that target if
    these come from `leave_one_out(per_example, ...)` or from shadows of their own. There is no value

    1. where alpha x cells < 20: fewer false positives are expected than can judge the claim;
    2. where the achieved rate is above 1.5 alpha or below alpha / 1.5.

    The spread is the root of max(0, variance of f_i - mean of f_i (1 - f_i) / (c_i - 1)) over the examples with rate
    f_i on c_i >= 2 non-member cells: unbiased before the maximum if the cells of an example are independent. Under
    leave-one-out they share shadows and are slightly negatively correlated, so that a small spread can read 0.

    Args:
        p_values: [T, N] in [0, 1], such as `numpy.exp(-scores)` of `per_example`.
        member: [T, N] bool, true membership of each example in each target.
        fprs: Claimed false positive rates alpha, each in (0, 1).

    Raises:
        InputError: If shapes differ, a p-value is not in [0, 1], alpha not in (0, 1), or a target lacks members.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> member = rng.random((8, 500)) < 0.5
        >>> p_values = rng.random(member.shape) ** (1 + member)
        >>> found = calibrated(p_values, member, (0.001, 0.09))
        >>> round(found[0.09].tpr, 2), found[0.001].reason
        (0.31, 'FPR 0.001 needs 20000 non-member cells to judge what the p-values claim, there are 1969')
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    if p_values.ndim != 2 or not p_values.size:
        raise InputError(f"p_values must be [targets, examples] and not empty, got shape {p_values.shape}.")
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise InputError("p_values must lie in [0, 1]; of the scores of per_example take numpy.exp(-scores).")
    member = mask(member, "member", p_values.shape)
    if not member.any(axis=1).all():
        raise InputError(f"Every target needs members; target {int(member.any(axis=1).argmin())} has none.")
    if bad := [alpha for alpha in fprs if not 0 < alpha < 1]:
        raise InputError(f"A false positive rate lies between 0 and 1, got {bad[0]}.")
    # A rank p-value of 1 / 10 must count as 0.1 whatever the rounding.
    return {alpha: _calibrated(alpha, p_values <= alpha * (1 + 1e-12), member) for alpha in fprs}


def _calibrated(alpha: float, called: np.ndarray, member: np.ndarray) -> Calibrated:
    cells = int((~member).sum())
    achieved = float((called & ~member).sum()) / cells if cells else 0.0
    values = (called & member).sum(axis=1) / member.sum(axis=1)
    reason = _refusal(alpha, achieved, cells)
    return Calibrated(
        alpha=alpha,
        tpr=None if reason else float(values.mean()),
        reason=reason,
        achieved=achieved,
        cells=cells,
        spread=_spread(called, ~member),
        values=values,
        influence=share_influence(called, member),
    )


def _refusal(alpha: float, achieved: float, cells: int) -> str | None:
    if alpha * cells < FEWEST_EXPECTED * (1 - 1e-12):
        needed = int(np.ceil(FEWEST_EXPECTED / alpha * (1 - 1e-12)))
        return f"FPR {alpha:g} needs {needed} non-member cells to judge what the p-values claim, there are {cells}"
    if not alpha / LARGEST_FACTOR <= achieved <= alpha * LARGEST_FACTOR:
        return (
            f"p-values that claim FPR {alpha:g} achieve {achieved:.2g} on {cells} non-member cells, "
            f"off by more than a factor {LARGEST_FACTOR:g}: signals are not Gaussian that far out, or the shadows are "
            "not of the target's kind"
        )
    return None


def _spread(called: np.ndarray, outside: np.ndarray) -> float | None:
    cells = outside.sum(axis=0)
    several = cells >= 2
    if several.sum() < 2:
        return None
    cells = cells[several]
    rates = (called & outside).sum(axis=0)[several] / cells
    excess = rates.var(ddof=1) - (rates * (1 - rates) / (cells - 1)).mean()
    return float(np.sqrt(max(0.0, excess)))


def _log_upper_tail(t: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Logarithm of P(T >= t) for Student's t, [T, rows] and [rows]; accurate where it underflows and near 0."""
    below = special.stdtr(freedom, -np.abs(t))
    negative = np.log1p(-below)
    # Where float64 ends: 2 P = I_x(a, 1/2) = x^a sqrt(1 - x) F(a + 1/2, 1; a + 1; x) / (a B(a, 1/2)).
    a = np.broadcast_to(freedom / 2, t.shape)
    far = below < 1e-290
    log_x = np.log(2 * a[far]) - np.logaddexp(np.log(2 * a[far]), 2 * np.log(np.abs(t[far])))
    x = np.exp(log_x)
    series = np.log(special.hyp2f1(a[far] + 0.5, 1.0, a[far] + 1.0, x))
    beyond = a[far] * log_x + 0.5 * np.log1p(-x) + series - np.log(2 * a[far]) - special.betaln(a[far], 0.5)
    positive = np.log(np.where(far, 1.0, below))
    positive[far] = beyond
    return np.where(t > 0, positive, negative)
