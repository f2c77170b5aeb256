"""A pandas data frame as an Arrow table whose names are texts."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd
import pyarrow as pa

from quantleak.data.tabular.reading import check_table
from quantleak.errors import InputError


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
