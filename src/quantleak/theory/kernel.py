"""The compiled passes over a loss table: sums in float64 without a copy of the table in float64."""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from quantleak.jit import kept


@kept
@no_type_check
def row_means(table):
    """Mean of each row of `[K, N]`, float64 `[K]`."""
    rows, examples = table.shape
    means = np.empty(rows)
    for k in range(rows):
        row, total = table[k], 0.0
        for j in range(examples):
            total += np.float64(row[j])
        means[k] = total / examples
    return means


@kept
@no_type_check
def moments(table, best):
    """Mean and variance (ddof 0) of every row's differences from row `best`, float64 `[2, K]`."""
    rows, examples = table.shape
    reference = np.empty(examples)
    for j in range(examples):
        reference[j] = table[best, j]
    found = np.empty((2, rows))
    for k in range(rows):
        row, total = table[k], 0.0
        for j in range(examples):
            total += np.float64(row[j]) - reference[j]
        mean, squares = total / examples, 0.0
        for j in range(examples):
            off = np.float64(row[j]) - reference[j] - mean
            squares += off * off
        found[0, k], found[1, k] = mean, squares / examples
    return found
