"""Columns of an Arrow table as NumPy arrays: numbers, or texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quantleak.data.checks import list_rows, require_finite
from quantleak.data.features import Category, Columns, Floats
from quantleak.data.numerals import Numerals, is_code, is_missing, read_numerals
from quantleak.errors import InputError, nearest

MOST_VALUES = 1000


def kind_of(column: pa.ChunkedArray) -> Literal["number", "text", "other"]:
    """Whether a column holds numbers (booleans are 0 and 1), text, or something else."""
    of = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    types = pa.types
    if any(is_number(of) for is_number in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)):
        return "number"
    if types.is_null(of):
        return "number"
    return "text" if types.is_string(of) or types.is_large_string(of) or types.is_string_view(of) else "other"


def values_of(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """A column of numbers (missing ones as NaN; whole numbers and booleans keep their type) or of texts (object)."""
    column = table.column(name)
    if kind_of(column) == "other":
        raise InputError(
            f"Column {name!r} holds {column.type}, neither numbers nor text. Convert it, or leave it out by naming "
            "the columns to use."
        )
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.float64())
    # Booleans with missing cells would come as objects.
    if pa.types.is_boolean(column.type) and column.null_count:
        column = column.cast(pa.int8()).cast(pa.float64())
    values: npt.NDArray[Any] = column.to_numpy()
    return values


@dataclass(frozen=True, kw_only=True, eq=False)
class Understood:
    """What columns hold.

    Args:
        features: Their values.
        notes: What was not plain to see, a clause each.
        decimal_comma: The first column read with decimal commas, or None.
    """

    features: Columns
    notes: tuple[str, ...]
    decimal_comma: str | None


def column_features(table: pa.Table, names: list[str]) -> Understood:
    """`Columns` of the named columns, in their order, numbers before texts.

    A missing number is refused. Text that is numbers throughout is read as numbers, text that mostly is so is refused;
    see :func:`~quantleak.data.numerals.read_numerals`. In other text a missing cell counts as the empty text, a value
    of its own. A column that pandas or Arrow calls categorical is never read as numbers.

    Raises:
        InputError: If a column holds neither numbers nor text, numbers that are missing or infinite, or so many
            different texts that it must be an identifier.
    """
    numbers: dict[str, Floats] = {}
    categories: list[Category] = []
    notes: list[str] = []
    commas: list[str] = []
    for name in names:
        if kind_of(table.column(name)) != "text":
            numbers[name] = values_of(table, name).astype(np.float64)
            continue
        read = _text(table, name)
        if isinstance(read, Numerals):
            numbers[name] = read.values
            notes.append(f"column {name!r} is text and was read as {read.style}")
            commas += [name] * read.decimal_comma
        else:
            categories.append(read)
            notes += _missing_texts(read)
    matrix = np.stack(list(numbers.values()), axis=1) if numbers else np.zeros((table.num_rows, 0))
    if numbers:
        require_finite(matrix, tuple(numbers), "column")
    features = Columns(names=tuple(numbers), numeric=matrix, categories=tuple(categories))
    return Understood(features=features, notes=tuple(notes), decimal_comma=next(iter(commas), None))


def group_labels(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """The labels in a group column.

    Raises:
        InputError: If a row has none.
    """
    column = table.column(name)
    missing = column.is_null(nan_is_null=True).to_numpy()
    if kind_of(column) == "text":
        missing = missing | pc.equal(column, "").fill_null(True).to_numpy()
    if missing.any():
        raise InputError(f"The group {name!r} is missing in {list_rows(missing)}. Give each row a group.")
    return values_of(table, name)


def require_column(table: pa.Table, name: str, role: str, source: str) -> None:
    """Refuse a name that is not a column, with the nearest one that is."""
    if name not in table.column_names:
        known = ", ".join(map(repr, table.column_names[:10])) + (", ..." if table.num_columns > 10 else ".")
        raise InputError(
            f"{source!r} has no column {name!r} for the {role}.{nearest(name, table.column_names)} It has {known}"
        )


def _text(table: pa.Table, name: str) -> Category | Numerals:
    column = table.column(name)
    declared = pa.types.is_dictionary(column.type)
    if declared:
        column = column.cast(column.type.value_type)
    coded = column.fill_null("").combine_chunks().dictionary_encode()
    values, codes = tuple(coded.dictionary.to_pylist()), coded.indices.to_numpy().astype(np.int64)
    if not (declared or is_code(values)) and (read := read_numerals(f"Column {name!r}", values, codes)):
        return read
    limit = min(MOST_VALUES, max(50, len(column) // 2))
    if len(values) > limit:
        raise InputError(
            f"Column {name!r} has {len(values)} different texts such as {values[0]!r} in {len(column)} rows, too many "
            "for categories. Leave it out by naming the columns to use; if it holds numbers, correct those that are "
            "not; if it says which rows belong together, make it the group; if it holds molecules, name it as SMILES."
        )
    return Category(name=name, codes=codes, values=values)


def _missing_texts(category: Category) -> list[str]:
    """A clause for each text that stands for a missing cell."""
    counts = np.bincount(category.codes, minlength=len(category.values))
    return [
        f"{value or 'an empty cell'!r} of column {category.name!r} is a category of its own, in {count} rows"
        for value, count in zip(category.values, counts.tolist(), strict=True)
        if is_missing(value)
    ]
