"""A data set from a table: CSV, Parquet, NPZ, or a pandas data frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from quantleak.data.columns import column_features, require_column
from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.npz import read_npz
from quantleak.data.roles import Roles
from quantleak.data.source import open_source
from quantleak.data.tabular import check_table, read_arrow
from quantleak.errors import InputError


def read_table(
    path: str | Path,
    target: str | None = None,
    *,
    task: str | None = None,
    group: str | None = None,
    columns: Sequence[str] | None = None,
) -> Dataset:
    """A data set from a CSV (.csv, .tsv, .tab, .txt), Parquet (.parquet, .pq) or NumPy (.npz) file.

    Columns of numbers and booleans are standardised, columns of text become categories; a column without a name
    (the index that pandas writes) is ignored. A missing number is refused, a missing text is a category of its own.
    An NPZ file holds `features` or `X`, and `targets` or `y`.

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
        known = ", ".join(map(repr, table.column_names[:10]))
        raise InputError(f"Which column of {source.name!r} is the target? Name one: {known}.")
    roles = Roles(target=target, task=task, group=group)
    return _from_arrow(table, roles, columns, name=source.name, sha256=source.sha256)


def from_frame(
    frame: pd.DataFrame,
    target: str,
    *,
    name: str = "frame",
    task: str | None = None,
    group: str | None = None,
    columns: Sequence[str] | None = None,
) -> Dataset:
    """A data set from a pandas data frame; its index is not used. Otherwise as `read_table`.

    Example:
        >>> from_frame(pd.DataFrame({"age": [30, 40, 50], "sick": ["no", "yes", "no"]}), "sick")
        Dataset('frame', binary, 2 classes, 3 examples in 3 groups)
    """
    named = frame.rename(columns=str)
    try:
        # Arrow refuses repeated names itself, with a message of its own.
        arrays = [pa.array(named.iloc[:, i], from_pandas=True) for i in range(named.shape[1])]
    except (pa.ArrowException, TypeError) as error:
        raise InputError(f"{name!r} has a column of mixed values: {str(error)[:200]}. Give it one type.") from error
    table = pa.Table.from_arrays(arrays, names=list(named.columns))
    check_table(table, name)
    return _from_arrow(table, Roles(target=target, task=task, group=group), columns, name=name, sha256=None)


def _from_arrow(
    table: pa.Table, roles: Roles, columns: Sequence[str] | None, *, name: str, sha256: str | None
) -> Dataset:
    roles.require(table, name)
    ignored = tuple(column for column in table.column_names if _is_index(column))
    used = _used(table, roles, columns, name)
    targets = roles.targets(table)
    features = column_features(table, used)
    provenance = Provenance(
        source=name,
        sha256=sha256,
        rows_read=table.num_rows,
        target=roles.target,
        columns=tuple(used),
        group=roles.group,
        task_rule=targets.rule,
        categories=tuple(category.name for category in features.categories),
        ignored=ignored,
    )
    return assemble(name, features, targets, provenance, group=roles.groups(table))


def _used(table: pa.Table, roles: Roles, columns: Sequence[str] | None, source: str) -> list[str]:
    taken = (roles.target, roles.group)
    if columns is None:
        used = [name for name in table.column_names if name not in taken and not _is_index(name)]
    else:
        used = list(dict.fromkeys(columns))
        for name in used:
            require_column(table, name, "features", source)
            if name in taken:
                raise InputError(f"Column {name!r} is the target or the group and cannot be a feature. Leave it out.")
    if not used:
        raise InputError(f"{source!r} has no column left for the features. Give at least one besides {taken[0]!r}.")
    return used


def _is_index(name: str) -> bool:
    return name == "" or name.startswith("__index_level_")
