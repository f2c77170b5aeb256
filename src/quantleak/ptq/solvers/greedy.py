"""The loop of OBQ in its greedy order, one row after another; compiled."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from quantleak.jit import kept, reordered

OUTLIER = 0.25 * (1 + 1e-9)
"""Squared error in units of the squared scale that only a weight outside the grid's range can have."""


@reordered
@no_type_check
def downdate(inverse, column, count, pivot):
    """Subtract `column column^T / pivot` from the lower triangle of the first `count` rows."""
    for i in range(count):
        factor = column[i] / pivot
        for k in range(i + 1):
            inverse[i, k] -= factor * column[k]


@kept
@no_type_check
def quantize_rows(
    weight,
    inverse,
    scale,
    zero,
    levels,
    codes,
    loss,
):
    """Algorithm 3 of arXiv 2208.11580 for every row by itself; weights that are exactly 0 are fixed there first.

    The columns that are still free lie in front, in any order, with their inverse Hessian in a lower triangle: a column
    that was quantized changes places with the last free one. Of equally cheap columns the first is taken.

    Args:
        weight: `[rows, columns]` float64, not changed.
        inverse: Inverse Hessian `[columns, columns]` float64, not changed.
        scale: `[rows]` float64.
        zero: `[rows]` float64.
        levels: Of the grid.
        codes: Receives the codes, int32 `[rows, columns]`.
        loss: Receives the summed cost of the steps, float64 `[rows]`.
    """
    rows, columns = weight.shape
    work = np.empty((columns, columns))
    free = np.empty(columns)
    names = np.empty(columns, np.int64)
    column = np.empty(columns)
    top = levels - 1.0
    for row in range(rows):
        for i in range(columns):
            free[i] = weight[row, i]
            names[i] = i
            for k in range(i + 1):
                work[i, k] = inverse[i, k]
        s, z = scale[row], zero[row]
        loss[row] = 0.0
        with_zero = 0.0 <= z <= top
        zeros_left = with_zero
        for count in range(columns, 0, -1):
            place = -1
            if zeros_left:
                for i in range(count):
                    if free[i] == 0.0 and weight[row, names[i]] == 0.0 and (place < 0 or names[i] < names[place]):
                        place = i
                zeros_left = place >= 0
            if place < 0:
                place = cheapest(free, work, names, count, s, z, top)
            code = min(max(np.rint(free[place] / s) + z, 0.0), top)
            error = free[place] - (code - z) * s
            pivot = work[place, place]
            codes[row, names[place]] = np.int32(code)
            loss[row] += error * error / (2 * pivot)
            last = count - 1
            take_column(work, column, place, count)
            for i in range(count):
                if i != place:
                    free[i] -= column[i] * error / pivot
            move_last(work, place, last)
            free[place], names[place], column[place] = free[last], names[last], column[last]
            downdate(work, column, last, pivot)


@kept
@no_type_check
def cheapest(free, inverse, names, count, s, z, top):
    """Which free column is quantized next: the cheapest; or, if one lies outside the grid's range, the farthest."""
    best, farthest, least, most = 0, 0, np.inf, -1.0
    for i in range(count):
        code = min(max(np.rint(free[i] / s) + z, 0.0), top)
        error = free[i] - (code - z) * s
        squared = error * error
        cost = squared / inverse[i, i]
        if cost < least or (cost == least and names[i] < names[best]):
            best, least = i, cost
        if squared > most or (squared == most and names[i] < names[farthest]):
            farthest, most = i, squared
    return farthest if most > OUTLIER * s * s and free[best] != 0.0 else best


@kept
@no_type_check
def take_column(inverse, column, place, count):
    """Column `place` of the symmetric matrix whose lower triangle is kept."""
    for i in range(count):
        column[i] = inverse[place, i] if i <= place else inverse[i, place]


@kept
@no_type_check
def move_last(inverse, place, last):
    """Put the last row and column in the place of another one."""
    if place == last:
        return
    for i in range(place):
        inverse[place, i] = inverse[last, i]
    for i in range(place + 1, last):
        inverse[i, place] = inverse[last, i]
    inverse[place, place] = inverse[last, last]
