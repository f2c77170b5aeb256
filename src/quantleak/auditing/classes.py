"""Leakage by class: one threshold a target, as the attacker has it, and what it finds within each class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

from quantleak.attacks import Bootstrap

RARE = 0.5
"""A class is rare if it has less than this times an equal share of the pool."""

_ENTRIES = 1 << 21


def is_rare(examples: Int[np.ndarray, " classes"]) -> Bool[np.ndarray, " classes"]:
    """Which classes have less than half of the examples that each would have if all had equally many.

    Example:
        >>> is_rare(np.array([80, 20])), is_rare(np.array([70, 30]))
        (array([False,  True]), array([False, False]))
    """
    return np.asarray(examples < RARE * examples.sum() / len(examples))


def by_class(
    flags: Bool[np.ndarray, "targets examples"],
    member: Bool[np.ndarray, "targets examples"],
    classes: Int[np.ndarray, " examples"],
    groups: Int[np.ndarray, " examples"],
    settings: Bootstrap,
) -> dict[str, np.ndarray]:
    """Shares of members found and of non-members wrongly accused, class by class.

    Shares are pooled over targets, so that a class of few examples, which some target has no member of, has them too.
    Intervals are of the two-way bootstrap over targets and groups of examples, given the thresholds.

    Args:
        flags: `[targets, examples]`, whom the attacker calls a member.
        member: `[targets, examples]`, true membership.
        classes: `[examples]`, codes 0 to C-1.
        groups: `[examples]`, equal values mark examples that are drawn together.
        settings: Of the bootstrap.

    Returns:
        `class` `[C]`, `examples` `[C]`, and `found`, `alarms` with `_low` and `_high`, float64 `[C]`; NaN where a class
        has no members (non-members).
    """
    codes = np.arange(int(classes.max()) + 1)
    table: dict[str, np.ndarray] = {"class": codes, "examples": np.bincount(classes)}
    one_hot = (classes[:, None] == codes).astype(np.float32)
    tails = [(1 - settings.level) / 2, (1 + settings.level) / 2]
    for name, side in (("found", member), ("alarms", ~member)):
        hits, all_ = (flags & side).astype(np.float32), side.astype(np.float32)
        table[name] = _share(hits.sum(0)[None], all_.sum(0)[None], one_hot)[0]
        drawn = [_share(t @ hits * e, t @ all_ * e, one_hot) for t, e in _draws(len(flags), groups, settings)]
        limits = [_quantiles(shares, tails) for shares in np.concatenate(drawn).T]
        table[f"{name}_low"], table[f"{name}_high"] = np.array(limits).T
    return table


def _share(hits: np.ndarray, all_: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """`[B, C]` shares of `[B, N]` counts, NaN where there is nothing to count."""
    above, below = (hits @ one_hot).astype(np.float64), (all_ @ one_hot).astype(np.float64)
    return np.asarray(above / np.where(below > 0, below, np.nan))


def _quantiles(values: np.ndarray, at: list[float]) -> np.ndarray:
    defined = values[~np.isnan(values)]
    return np.quantile(defined, at) if defined.size else np.full(len(at), np.nan)


def _draws(targets: int, groups: np.ndarray, settings: Bootstrap) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How often each target `[b, T]` and each example `[b, N]` is drawn, some resamples at a time."""
    codes = np.unique(groups, return_inverse=True)[1]
    size = int(codes.max()) + 1
    random = np.random.default_rng(np.random.SeedSequence([settings.seed, 2]))
    width = max(1, _ENTRIES // len(groups))
    for first in range(0, settings.resamples, width):
        count = min(width, settings.resamples - first)
        by_target = random.multinomial(targets, np.full(targets, 1 / targets), count)
        by_group = random.multinomial(size, np.full(size, 1 / size), count)
        yield by_target.astype(np.float32), by_group[:, codes].astype(np.float32)
