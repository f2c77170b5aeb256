"""The compiled passes over a loss table: sums in float64 without a copy of the table in float64."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from quantleak.jit import kept, ordered_numbers, reordered


@kept
@no_type_check
def row_means(table):
    """Mean of each row of `[K, N]`, float64 `[K]`."""
    rows, examples = table.shape
    means = np.empty(rows)
    for k in range(rows):
        means[k] = _total(table[k]) / examples
    return means


@kept
@no_type_check
def moments(table, best):
    """Mean and variance (ddof 0) of every row's differences from row `best`, float64 `[2, K]`."""
    rows, examples = table.shape
    reference, difference = np.empty(examples), np.empty(examples)
    reference[:] = table[best]
    found = np.empty((2, rows))
    for k in range(rows):
        row = table[k]
        for j in range(examples):
            difference[j] = row[j] - reference[j]
        mean = _total(difference) / examples
        for j in range(examples):
            difference[j] = (difference[j] - mean) ** 2
        found[0, k], found[1, k] = mean, _total(difference) / examples
    return found


@kept
@no_type_check
def lowest(table, rows, best):
    """The smallest difference of some rows from row `best`, in float64, `[R]`; no difference may be NaN."""
    reference = table[best].astype(np.float64)
    found = np.empty(len(rows))
    for k in range(len(rows)):
        found[k] = _lowest(table[rows[k]], reference)
    return found


@ordered_numbers
@no_type_check
def _lowest(values, reference):
    lowest = np.inf
    for j in range(len(reference)):
        lowest = min(lowest, values[j] - reference[j])
    return lowest


@reordered
@no_type_check
def _total(values):
    total = 0.0
    for j in range(len(values)):
        total += np.float64(values[j])
    return total
