r"""Finds the training examples that an attack gives away beyond chance, with the false discovery rate controlled.

For each example the null hypothesis is that the strongest attack flags it as often in models that were not trained on
it as in models that were. Given how often it was flagged at all, the number of flags among the models trained on it
is then hypergeometric, whatever the attack (Fisher's exact test, one-sided). Of all examples those are listed that the
procedure of [Benjamini1995] rejects, so that at most `1 - level` of those listed are expected to be there by chance.

The intervals of the listed shares are those of Clopper and Pearson at the level `1 - (1 - level) R / m`, R listed of m
tested examples: chosen for being large, a share needs a longer interval to be covered ([Benjamini2005]).

Sources: [Benjamini1995] Y. Benjamini, Y. Hochberg, *Controlling the False Discovery Rate*, JRSS B 57. [Benjamini2005]
Y. Benjamini, D. Yekutieli, *False Discovery Rate-Adjusted Multiple Confidence Intervals for Selected Parameters*, JASA
100. [Zhao2025] C. Zhao et al., *Membership Inference Attacks with False Discovery Rate Control*, arXiv 2508.07066,
controls it for one target model and conformal p-values; here many models vary and examples are what is tested.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy import special, stats


def exposed(
    flags: Bool[np.ndarray, "targets examples"], member: Bool[np.ndarray, "targets examples"], level: float
) -> dict[str, np.ndarray]:
    """The examples that are exposed beyond chance, the most often found first.

    Args:
        flags: `[targets, examples]`, whom the attacker calls a member, of targets that did not choose the attack.
        member: `[targets, examples]`, true membership.
        level: Confidence level; the false discovery rate is 1 less this.

    Returns:
        Columns of as many rows as there are such examples: `position` among the examples, `found` (share of `members`
        models trained on it that give it away) and `alarms` (share of `others` models not trained on it in which it is
        flagged too), with `_low` and `_high`, and `p`.
    """
    members, flagged = member.sum(0), flags.sum(0)
    others = len(member) - members
    inside = (flags & member).sum(0)
    tested = np.flatnonzero((members > 0) & (others > 0))
    p = stats.hypergeom.sf(inside[tested] - 1, len(member), flagged[tested], members[tested])
    rejected = benjamini_hochberg(p, 1 - level)
    listed, p = tested[rejected], p[rejected]
    found, alarms = inside[listed], (flagged - inside)[listed]
    order = np.lexsort((p, -found / members[listed]))
    strict = 1 - (1 - level) * len(listed) / max(len(tested), 1)
    rows: dict[str, np.ndarray] = {"position": listed[order]}
    for name, hits, trials in (("found", found, members[listed]), ("alarms", alarms, others[listed])):
        low, high = clopper_pearson(hits, trials, strict)
        rows |= {name: (hits / trials)[order], f"{name}_low": low[order], f"{name}_high": high[order]}
    return rows | {"members": members[listed][order], "others": others[listed][order], "p": p[order]}


def benjamini_hochberg(p: Float[np.ndarray, " tests"], rate: float) -> Bool[np.ndarray, " tests"]:
    """Which hypotheses are rejected so that the false discovery rate is at most `rate`: all p <= rate k / m, k largest.

    Example:
        >>> benjamini_hochberg(np.array([0.04, 0.001, 0.03, 0.9]), 0.05)
        array([False,  True, False, False])
    """
    ascending = np.sort(p)
    below = np.flatnonzero(ascending <= rate * np.arange(1, len(p) + 1) / max(len(p), 1))
    return np.asarray(p <= ascending[below[-1]]) if below.size else np.zeros(len(p), dtype=bool)


def clopper_pearson(hits: np.ndarray, trials: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Exact limits of proportions; equal to `scipy.stats.binomtest(...).proportion_ci(level, method="exact")`."""
    tail = (1 - level) / 2
    low = np.where(hits > 0, special.betaincinv(np.maximum(hits, 1), trials - hits + 1, tail), 0.0)
    high = np.where(hits < trials, special.betaincinv(hits + 1, np.maximum(trials - hits, 1), 1 - tail), 1.0)
    return low, high
