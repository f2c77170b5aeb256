"""Leakage of the examples on which a quantizer was calibrated, apart from that of a model's other members."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from quantleak.attacks import Crossed
from quantleak.attacks.evaluation.influence import share_influence
from quantleak.results import Estimate

NO_MEMBER = Estimate(value=None, reason="no member is used for calibration")
NO_RATE = Estimate(value=None, reason="no false-positive rate is supported")


def by_use(
    scores: Float[np.ndarray, "targets examples"],
    flags: Bool[np.ndarray, "targets examples"] | None,
    member: Bool[np.ndarray, "targets examples"],
    calibrated: Bool[np.ndarray, "targets examples"],
    codes: Int[np.ndarray, " examples"],
    level: float,
) -> dict[str, Estimate]:
    """Compare the members on which each target was calibrated with its other members and with non-members.

    Which members are used for calibration is drawn at random, so that nothing else differs between the two. Intervals
    are those of a crossed design of targets and groups of examples, given the thresholds.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        flags: `[targets, examples]`, whom the attacker calls a member; None where no rate is supported.
        member: `[targets, examples]`, true membership.
        calibrated: `[targets, examples]`, members used for calibration: none at all, or some in every row and not all.
        codes: `[examples]`, codes 0 to G-1 of examples that belong together.
        level: Confidence level.

    Returns:
        `found`, `others`, `alarms` (shares of flags among members used for calibration, other members, non-members),
        `difference` of the first two, and `auc`, the chance that a member used for calibration has a larger score than
        another member, ties at 1/2.
    """
    found = dict.fromkeys(("found", "others", "alarms", "difference", "auc"), NO_MEMBER)
    others = member & ~calibrated
    if calibrated.any():
        found["auc"] = _auc(scores, calibrated, others, codes).share(level)
    if flags is None:
        return found | dict.fromkeys(("found", "others", "alarms", "difference"), NO_RATE)
    two = _share(flags, others, codes)
    found |= {"others": two.share(level), "alarms": _share(flags, ~member, codes).share(level)}
    if calibrated.any():
        one = _share(flags, calibrated, codes)
        found |= {"found": one.share(level), "difference": (one - two).estimate(level)}
    return found


def _share(flags: np.ndarray, among: np.ndarray, codes: np.ndarray) -> Crossed:
    values = (flags & among).sum(axis=1) / among.sum(axis=1)
    return Crossed.of(values, share_influence(flags, among), codes)


def _auc(scores: np.ndarray, one: np.ndarray, two: np.ndarray, codes: np.ndarray) -> Crossed:
    """Mann-Whitney for every target, with the influence of every example on it (placements, centred)."""
    values, influence = np.empty(len(scores)), np.zeros(scores.shape)
    for target, (row, inside, outside) in enumerate(zip(scores, one, two, strict=True)):
        first, second = row[inside], row[outside]
        ranks = stats.rankdata(np.concatenate([first, second]))
        above = (ranks[: len(first)] - stats.rankdata(first)) / len(second)
        below = 1 - (ranks[len(first) :] - stats.rankdata(second)) / len(first)
        values[target] = above.mean()
        for where, placed in ((inside, above), (outside, below)):
            scale = np.sqrt(len(placed) / max(len(placed) - 1, 1)) / len(placed)
            influence[target, where] = (placed - placed.mean()) * scale
    return Crossed.of(values, influence, codes)
