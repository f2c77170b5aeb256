"""CSV and Parquet bytes to an Arrow table with sound column names."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from quantleak.data.checks import list_rows
from quantleak.data.source import Source
from quantleak.errors import InputError

# Arrow reads a block of a CSV with one set of types, and no block can be larger.
LARGEST_CSV = 2**31 - 2
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")


def read_arrow(source: Source) -> pa.Table:
    """The table in a CSV or Parquet file.

    CSV: UTF-8, a header, cells separated by commas, tabs or semicolons, whichever the header has most of. A column's
    type is decided on all its cells: a cell that is empty or `NA`, `NaN`, `null` is missing in a column of numbers,
    and text in a column of text.

    Raises:
        InputError: If the file is damaged, irregular, without rows, or has two columns of one name.
    """
    try:
        table = _csv(source) if source.kind == "csv" else _parquet(source.raw)
    except InputError:
        raise
    # Damage raises errors of Arrow, of decoding, of memory and of the operating system.
    except Exception as error:
        raise InputError(
            f"{source.name!r} cannot be read as {source.kind.upper()}: {str(error)[:200]} (row 1 is the header). "
            "Correct the file or save it again."
        ) from error
    check_table(table, source.name)
    return table


def check_table(table: pa.Table, name: str) -> None:
    """Refuse a table without rows or with two columns of one name."""
    repeated = [column for column, count in Counter(table.column_names).items() if count > 1]
    if repeated:
        raise InputError(f"{name!r} has more than one column named {repeated[0]!r}. Give each column its own name.")
    if table.num_rows == 0:
        raise InputError(f"{name!r} has a header but no rows. Give a file with data.")


def require_no_thousands_points(source: Source, table: pa.Table, names: list[str], with_commas: str) -> None:
    """Refuse columns whose points may be separators of thousands, in a CSV file that has decimal commas elsewhere.

    Args:
        source: The file.
        table: What was read from it.
        names: The columns to look at.
        with_commas: A column with decimal commas, for the message.
    """
    suspects = [name for name in names if pa.types.is_floating(table.column(name).type)]
    if source.kind != "csv" or not suspects:
        return
    texts = _read(source, {name: pa.string() for name in suspects}).select(suspects)
    for name, column in zip(suspects, texts.columns, strict=True):
        cells = [cell.strip() for cell in column.to_pylist()]
        pointed = np.array(["." in cell for cell in cells], bool)
        if pointed.any() and all(THOUSANDS.fullmatch(cell) for cell in cells if "." in cell):
            first = cells[int(pointed.argmax())]
            raise InputError(
                f"Column {with_commas!r} of {source.name!r} has decimal commas, and column {name!r} has numbers such "
                f"as {first!r} in {list_rows(pointed)}: is its point a separator of thousands? Write all numbers with "
                "a decimal point and without separators."
            )


def _csv(source: Source) -> pa.Table:
    raw = source.raw
    if len(raw) > LARGEST_CSV:
        raise InputError(f"{source.name!r} is larger than 2 GB. Save it as Parquet.")
    table = _read(source, {})
    _require_utf8(table, source)
    _refuse_open_quote(table, source)
    return table


def _read(source: Source, types: dict[str, pa.DataType]) -> pa.Table:
    raw = source.raw
    return pa.csv.read_csv(
        pa.BufferReader(raw),
        # The whole file is one block, or a type guessed early would refuse what comes later.
        read_options=pa.csv.ReadOptions(block_size=len(raw) + 1, use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=_delimiter(raw), newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(column_types=types),
    )


def _require_utf8(table: pa.Table, source: Source) -> None:
    """Refuse what Arrow did not take for text, which it gives as bytes without a word."""
    try:
        sound = not any(pa.types.is_binary(field.type) for field in table.schema) and bool(table.column_names)
    except UnicodeDecodeError:
        sound = False
    if sound:
        return
    try:
        source.raw.decode()
    except UnicodeDecodeError as error:
        line = source.raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{source.name!r} is not UTF-8 text: line {line} has the byte 0x{source.raw[error.start]:02x}. It may be "
            "Latin-1 or Windows-1252; save the file as UTF-8."
        ) from error


def _delimiter(raw: bytes) -> str:
    """Of comma, tab and semicolon the one met most often in the header, outside quotes; the first of equals."""
    header = re.sub(rb'"[^"]*"', b"", raw.lstrip(b"\r\n").split(b"\n", 1)[0])
    return max((",", "\t", ";"), key=lambda delimiter: header.count(delimiter.encode()))


def _refuse_open_quote(table: pa.Table, source: Source) -> None:
    """Arrow takes a quote that is never closed for one cell that runs to the end of the file."""
    if source.raw.count(b'"') % 2 == 0 or table.num_rows == 0:
        return
    last = table.slice(table.num_rows - 1).to_pylist()[0].values()
    if any(isinstance(cell, str) and "\n" in cell for cell in last):
        raise InputError(
            f"{source.name!r} has a quote that is opened in data row {table.num_rows} and never closed. Close it."
        )


def _parquet(raw: bytes) -> pa.Table:
    with pa.parquet.ParquetFile(pa.BufferReader(raw)) as file:
        table = file.read()
    # Texts that are no UTF-8 and indices out of range would be met much later.
    table.validate(full=True)
    return table
