"""Checks the arrays of an attack with shadow models, and finds which shadows are IN and OUT for each example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quantleak.arrays import mask, plain
from quantleak.errors import InputError

LARGEST = 1e150
"""Signals beyond have squares that float64 does not hold, so that no variance can be had of them."""

_ROWS = 512


class NotEnoughShadows(InputError):
    """Some example has too few IN or OUT shadows for this attack; other attacks on the same arrays may still run."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Columns:
    """Signals laid out for fitting: one row per (example, query), its shadows side by side in memory.

    Attributes:
        target: [T, rows] float64.
        shadows: [rows, S] float64.
        inside: [rows, S] bool: this shadow was trained on the example and may be read.
        outside: [rows, S] bool: it was not trained on the example and may be read.
        queries: Queries per example; rows = examples x queries, query fastest.
        single: Whether the caller gave one target without a leading axis.
    """

    target: np.ndarray
    shadows: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    queries: int
    single: bool

    def mean_over_queries(self, per_row: np.ndarray) -> np.ndarray:
        """Scores [T, rows] to the caller's [N] or [T, N]."""
        scores = per_row.reshape(len(per_row), -1, self.queries).mean(axis=-1)
        return np.asarray(scores[0] if self.single else scores)

    def require(self, inside: int, outside: int, *, attack: str) -> None:
        """Refuse examples with fewer IN or OUT shadows than the attack needs.

        Raises:
            NotEnoughShadows: Naming how many examples, the first of them, and a design that gives enough.
        """
        counts_in, counts_out = self.inside.sum(axis=1), self.outside.sum(axis=1)
        short = np.flatnonzero((counts_in < inside) | (counts_out < outside))
        if short.size:
            row = short[0]
            raise NotEnoughShadows(
                f"{attack} needs {_needs(inside, outside)} of every example; "
                f"{np.unique(short // self.queries).size} of {counts_in.size // self.queries} examples have fewer, "
                f"first example {row // self.queries} with {counts_in[row]} IN and {counts_out[row]} OUT. "
                f"Train at least {2 * (max(inside, outside) + 1)} models with every example in exactly half of them "
                f"(enough for leave-one-out too), or choose an attack that needs fewer."
            )


def arrange(
    target: np.ndarray, shadows: np.ndarray, member: np.ndarray, use: np.ndarray | None, *, prefix: str = ""
) -> Columns:
    """Check the four arrays of an attack against each other and lay them out.

    Args:
        target: Signals of the attacked models: the shape of one shadow's, or with a leading axis of T targets.
        shadows: Signals of the shadow models, [S, N] or [S, N, Q] for Q aligned queries of each example.
        member: [S, N], whether each shadow was trained on each example.
        use: [S, N], which shadows may be read for which example; all where None.
        prefix: What the caller's names of target and shadows begin with.

    Raises:
        InputError: If shapes disagree, a value is NaN or infinite, or a mask holds anything but 0 and 1.
    """
    target, shadows = finite(target, f"{prefix}target"), finite(shadows, f"{prefix}shadows")
    if shadows.ndim not in (2, 3) or not shadows.size:
        raise InputError(
            f"{prefix}shadows must be [models, examples] or [models, examples, queries] and not empty, "
            f"got {shadows.shape}."
        )
    if target.shape[-shadows.ndim + 1 :] != shadows.shape[1:] or not 0 <= shadows.ndim - target.ndim <= 1:
        raise InputError(
            f"{prefix}target has shape {target.shape}; with {prefix}shadows {shadows.shape} "
            f"it must be {shadows.shape[1:]} or [targets] + that."
        )
    member = mask(member, "member", shadows.shape[:2])
    used = np.ones_like(member) if use is None else mask(use, "use", shadows.shape[:2])
    queries = shadows.shape[2] if shadows.ndim == 3 else 1
    rows = shadows.shape[1] * queries
    return Columns(
        target=target.reshape(-1, rows),
        shadows=_models_last(shadows),
        inside=np.repeat(_models_last(member & used), queries, axis=0),
        outside=np.repeat(_models_last(~member & used), queries, axis=0),
        queries=queries,
        single=target.ndim < shadows.ndim,
    )


def finite(values: np.ndarray, name: str) -> np.ndarray:
    """`values` as float64.

    Raises:
        InputError: If a value is NaN, infinite, masked or beyond `LARGEST`, or these are no real numbers.
    """
    values = plain(values, name).astype(np.float64, copy=False)
    bad = ~np.isfinite(values)
    if bad.any():
        first = tuple(int(axis[0]) for axis in bad.nonzero())
        raise InputError(
            f"{name} has {bad.sum()} NaN or infinite values, the first at index {first}; "
            f"signals from quantleak.attacks.phi and log_probability are finite for finite logits."
        )
    if (huge := np.abs(values) > LARGEST).any():
        first = tuple(int(axis[0]) for axis in huge.nonzero())
        raise InputError(
            f"{name} has {huge.sum()} values beyond {LARGEST:g}, the first at index {first}: np.nan_to_num writes such "
            "for infinite ones, and they have no variance in float64. Compute signals from logits, as "
            "quantleak.attacks.phi does, or keep probabilities within [1e-12, 1 - 1e-12]."
        )
    return values


def _models_last(values: np.ndarray) -> np.ndarray:
    # Free when the caller already keeps the models last in memory, as leave_one_out does.
    moved = np.moveaxis(values, 0, -1)
    return np.ascontiguousarray(moved).reshape(-1, len(values))


def _needs(inside: int, outside: int) -> str:
    return " and ".join(f"{count} {side} shadows" for count, side in ((inside, "IN"), (outside, "OUT")) if count)


def by_chunks(function: Callable[[np.ndarray, np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`function(a, b)` for a function of rows, [rows, S] x 2 -> [..., rows], some hundred rows at a time.

    Such chunks stay in cache: measured two to three times faster than whole arrays.
    """
    starts = range(0, len(a), _ROWS)
    parts = [function(a[start : start + _ROWS], b[start : start + _ROWS]) for start in starts]
    return np.concatenate(parts, axis=-1)
