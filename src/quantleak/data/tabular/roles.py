"""What the columns of a table are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pyarrow as pa

from quantleak.data.tabular.columns import group_labels, require_column, values_of
from quantleak.data.targets import Targets, read_targets


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Columns of a table that are not features.

    Args:
        target: Name of the target column.
        task: `"binary"`, `"multiclass"`, `"regression"`, or None for the rule of `read_targets`.
        group: Name of the column whose equal values mark rows that stay together, or None.
    """

    target: str
    task: str | None = None
    group: str | None = None

    def require(self, table: pa.Table, source: str) -> None:
        """Refuse a target or group that the table lacks."""
        require_column(table, self.target, "target", source)
        if self.group is not None:
            require_column(table, self.group, "group", source)

    def targets(self, table: pa.Table) -> Targets:
        """The target column, coded."""
        return read_targets(values_of(table, self.target), self.target, self.task)

    def groups(self, table: pa.Table) -> npt.NDArray[Any] | None:
        """The group column, or None."""
        return None if self.group is None else group_labels(table, self.group)
