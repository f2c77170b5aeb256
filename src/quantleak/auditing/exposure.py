"""The most exposed examples: found on one half of the targets, their figures measured on the other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

MOST = 50
"""Examples listed for each quantizer."""


def most_exposed(
    scores: Float[np.ndarray, "targets examples"],
    flags: Bool[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    chosen_on: Int[np.ndarray, " chosen"],
    reported_on: Int[np.ndarray, " reported"],
) -> dict[str, np.ndarray]:
    """The examples whose membership shows most, and how often an attacker calls each a member.

    An example is listed if the targets `chosen_on` give it away more often when it is a member than when it is not. The
    largest differences come first, of shares drawn towards a half, `(k + 1/2) / (n + 1)`, so that one model alone is
    little evidence; equal ones by how much higher the example then ranks among the non-members. The shares reported are
    those of the targets `reported_on`, which had no part in the choice: the largest of many noisy shares are too large.

    Args:
        scores: `[targets, examples]`, larger = more likely a member.
        flags: `[targets, examples]`, whom the attacker calls a member; see `flagged`.
        member: `[targets, examples]`, true membership.
        chosen_on: Positions of the targets that choose.
        reported_on: Positions of the others.

    Returns:
        Columns of at most `MOST` rows: `position` among the examples, `found` (share of `members` models trained on it
        that give it away) and `alarms` (share of `others` models not trained on it in which it is flagged).
    """
    first = member[chosen_on]
    called = flags[chosen_on].astype(np.float64)
    rank = _gap(_ranks(scores[chosen_on], first), first, prior=0.0)
    members = member[reported_on].sum(0)
    others = len(reported_on) - members
    usable = (np.nan_to_num(_gap(called, first, prior=0.0)) > 0) & (members > 0) & (others > 0)
    order = np.lexsort((-np.nan_to_num(rank), -_gap(called, first, prior=0.5)))
    top = order[usable[order]][:MOST]
    inside, called = member[reported_on][:, top], flags[reported_on][:, top]
    return {
        "position": top,
        "found": (called & inside).sum(0) / members[top],
        "members": members[top],
        "alarms": (called & ~inside).sum(0) / others[top],
        "others": others[top],
    }


def _gap(values: np.ndarray, member: np.ndarray, prior: float) -> np.ndarray:
    """Mean over the targets that an example is a member of, less that over the others, `[N]`.

    Each mean counts `2 prior` more values whose sum is `prior`; without any it is NaN where there is nothing to count.
    """
    inside, outside = (
        (((values * side).sum(0) + prior) / np.where(count > 0, count, np.nan))
        for side, count in ((side, side.sum(0) + 2 * prior) for side in (member, ~member))
    )
    return np.asarray(inside - outside)


def _ranks(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The share of each target's non-members with a smaller score, `[T, N]`."""
    rows = zip(scores, member, strict=True)
    return np.stack([np.searchsorted(np.sort(row[~inside]), row) / (~inside).sum() for row, inside in rows])
