"""A data set from a table: CSV, Parquet, NPZ, or a pandas data frame."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.source import Source, open_source
from quantleak.data.tabular.columns import column_features, require_column
from quantleak.data.tabular.npz import read_npz
from quantleak.data.tabular.reading import check_table, read_arrow, require_no_thousands_points
from quantleak.data.tabular.roles import Roles
from quantleak.errors import InputError

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


def frame_to_arrow(frame: pd.DataFrame, name: str) -> pa.Table:
    """The columns of a frame, without its index.

    Raises:
        InputError: If a column holds values of several types or of one that Arrow lacks, two columns have one name, or
            there are no rows.
    """
    names = [column_name(label) for label in frame.columns]
    arrays = [_array(frame.iloc[:, place], name, column) for place, column in enumerate(names)]
    table = pa.Table.from_arrays(arrays, names=names)
    check_table(table, name)
    return table


def column_name(label: Hashable) -> str:
    """The text for a column's label.

    Example:
        >>> column_name(3), column_name(("dose", "mean")), column_name(("dose", ""))
        ('3', 'dose.mean', 'dose')
    """
    parts = label if isinstance(label, tuple) else (label,)
    name = ".".join(text for part in parts if (text := str(part)))
    # Arrow's names are UTF-8, which half of a surrogate pair is not.
    return name.encode(errors="replace").decode()


def _array(column: pd.Series, name: str, called: str) -> pa.Array:
    try:
        return pa.array(column, from_pandas=True)
    # Arrow, pandas and NumPy each have errors of their own for what they cannot convert.
    except Exception as error:
        raise InputError(
            f"Column {called!r} of {name!r} is a column of mixed values, or of values that are neither numbers nor "
            f"text: {str(error)[:200]}. Give it one type, numbers or text."
        ) from error


def read_table(
    path: str | Path,
    target: str | None = None,
    *,
    task: str | None = None,
    group: str | None = None,
    columns: Sequence[str] | None = None,
) -> Dataset:
    """A data set from a CSV (.csv, .tsv, .tab, .txt), Parquet (.parquet, .pq) or NumPy (.npz) file.

    Columns of numbers and booleans are standardised, columns of text become categories; an index that pandas wrote is
    ignored. A missing number is refused, a missing text is a category of its own. Text that is numbers (decimal
    commas, thousands set apart) is read as such where there is one way to read it, and refused otherwise. What was not
    plain to see is in the `notes` of the provenance. An NPZ file holds `features` or `X`, and `targets` or `y`.

    Args:
        path: The file.
        target: Name of the target column, or of the target array in an NPZ file.
        task: `"binary"`, `"multiclass"`, `"regression"`, or None for the rule of `read_targets`.
        group: Name of a column (or array) whose equal values mark rows that must stay together; not a feature.
        columns: The columns to use; None uses all others than target and group.

    Raises:
        InputError: If anything is wrong with the file or a name; the message says what, where and what to do.
    """
    source = open_source(path)
    if source.kind == "npz":
        if columns is not None:
            raise InputError("An NPZ file has arrays, not columns. Leave out `columns`, or use a CSV or Parquet file.")
        return read_npz(source, target, task=task, group=group)
    table = read_arrow(source)
    if target is None:
        known = ", ".join(map(repr, table.column_names[:10])) + (", ..." if len(table.column_names) > 10 else "")
        raise InputError(f"Which column of {source.name!r} is the target? Name one: {known}")
    return _from_arrow(table, Roles(target=target, task=task, group=group), columns, Origin.of(source))


def from_frame(
    frame: pd.DataFrame,
    target: Hashable,
    *,
    name: str = "frame",
    task: str | None = None,
    group: Hashable = None,
    columns: Sequence[Hashable] | None = None,
) -> Dataset:
    """A data set from a pandas data frame; its index is not used. Otherwise as `read_table`.

    Names of columns become text: 3 is `"3"`, and the levels of a `MultiIndex` are joined by points. Target, group and
    columns may be given either way.

    Example:
        >>> from_frame(pd.DataFrame({"age": [30, 40, 50], "sick": ["no", "yes", "no"]}), "sick")
        Dataset('frame', binary, 2 classes, 3 examples in 3 groups)
    """
    roles = Roles(target=column_name(target), task=task, group=None if group is None else column_name(group))
    used = None if columns is None else [column_name(label) for label in columns]
    index = tuple(column_name(label) for label in frame.index.names if label is not None)
    return _from_arrow(frame_to_arrow(frame, name), roles, used, Origin(name=name, index=index))


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a table came from.

    Args:
        name: A short name.
        source: The file, if there is one.
        index: Names of the index of a frame, which is no column.
    """

    name: str
    source: Source | None = None
    index: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source) -> Origin:
        """The origin that is a file."""
        return cls(name=source.name, source=source)


def _from_arrow(table: pa.Table, roles: Roles, columns: Sequence[str] | None, origin: Origin) -> Dataset:
    roles.require(table, origin.name)
    used = _used(table, roles, columns, origin.name)
    targets = roles.targets(table)
    read = column_features(table, used)
    with_commas = roles.target if targets.decimal_comma else read.decimal_comma
    if with_commas is not None and origin.source is not None:
        require_no_thousands_points(origin.source, table, [*used, roles.target], with_commas)
    taken = (*used, roles.target, roles.group)
    provenance = Provenance(
        source=origin.name,
        sha256=None if origin.source is None else origin.source.sha256,
        rows_read=table.num_rows,
        target=roles.target,
        columns=tuple(used),
        every_column=columns is None,
        group=roles.group,
        task_rule=targets.rule,
        categories=tuple(category.name for category in read.features.categories),
        ignored=(*origin.index, *(name for name in index_columns(table) if name not in taken)),
        notes=read.notes,
    )
    return assemble(origin.name, read.features, targets, provenance, group=roles.groups(table))


def _used(table: pa.Table, roles: Roles, columns: Sequence[str] | None, source: str) -> list[str]:
    taken = (roles.target, roles.group)
    if columns is None:
        index = index_columns(table)
        used = [name for name in table.column_names if name not in taken and name not in index]
    else:
        used = list(dict.fromkeys(columns))
        for name in used:
            require_column(table, name, "features", source)
            if name in taken:
                raise InputError(f"Column {name!r} is the target or the group and cannot be a feature. Leave it out.")
    if not used:
        raise InputError(f"{source!r} has no column left for the features. Give at least one besides {taken[0]!r}.")
    return used
