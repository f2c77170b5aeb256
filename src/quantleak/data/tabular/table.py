"""A data set from a table: CSV, Parquet, NPZ, or a pandas data frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.source import Source, open_source
from quantleak.data.tabular.columns import column_features, require_column
from quantleak.data.tabular.frame import column_name, frame_to_arrow
from quantleak.data.tabular.index import index_columns
from quantleak.data.tabular.npz import read_npz
from quantleak.data.tabular.reading import read_arrow, require_no_thousands_points
from quantleak.data.tabular.roles import Roles
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
        known = ", ".join(map(repr, table.column_names[:10]))
        raise InputError(f"Which column of {source.name!r} is the target? Name one: {known}.")
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
