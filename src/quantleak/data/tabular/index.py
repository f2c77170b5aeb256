"""Columns of a table that only number its rows: what pandas writes of an index."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa

NAMELESS = re.compile(r"|Unnamed: \d+(\.\d+)?|__index_level_\d+__")
"""Names that pandas gives to a column without one."""
COUNTERS = ("index", "level_0")
"""Names that `reset_index` gives to an index without one."""


def index_columns(table: pa.Table) -> tuple[str, ...]:
    """Names of the columns that are an index, in the order of the table.

    These are columns without a name, those that a Parquet file of pandas says are its index, and columns called
    `index` or `level_0` that count the rows from 0.

    Example:
        >>> index_columns(pa.table({"Unnamed: 0": [7, 9], "index": [0, 1], "level_0": [1, 1], "age": [0, 1]}))
        ('Unnamed: 0', 'index')
    """
    recorded = _recorded(table.schema.metadata)
    return tuple(
        name
        for name in table.column_names
        if NAMELESS.fullmatch(name) or name in recorded or (name in COUNTERS and _counts_rows(table.column(name)))
    )


def _recorded(metadata: dict[bytes, bytes] | None) -> set[str]:
    """Names under `index_columns` in what pandas records of a table; anybody can write there, so nothing is trusted."""
    try:
        columns = json.loads((metadata or {}).get(b"pandas", b"{}"))["index_columns"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
    return {column for column in columns if isinstance(column, str)} if isinstance(columns, list) else set()


def _counts_rows(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_integer(column.type) or column.null_count:
        return False
    return np.array_equal(column.to_numpy(), np.arange(len(column)))
