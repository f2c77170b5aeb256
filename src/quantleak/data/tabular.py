"""CSV and Parquet bytes to an Arrow table with sound column names."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from quantleak.data.source import Source
from quantleak.errors import InputError

# Arrow reads a block of a CSV with one set of types, and no block can be larger.
LARGEST_CSV = 2**31 - 2


def read_arrow(source: Source) -> pa.Table:
    """The table in a CSV or Parquet file.

    CSV: UTF-8, a header, cells separated by commas, or by tabs or semicolons if the header has no comma. A column's
    type is decided on all its cells: a cell that is empty or `NA`, `NaN`, `null` is missing in a column of numbers,
    and text in a column of text.

    Raises:
        InputError: If the file is damaged, irregular, without rows, or has two columns of one name.
    """
    try:
        table = _csv(source) if source.kind == "csv" else _parquet(source.raw)
    except (pa.ArrowException, OSError) as error:
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


def _csv(source: Source) -> pa.Table:
    raw = source.raw
    if len(raw) > LARGEST_CSV:
        raise InputError(f"{source.name!r} is larger than 2 GB. Save it as Parquet.")
    table = pa.csv.read_csv(
        pa.BufferReader(raw),
        # The whole file is one block, or a type guessed early would refuse what comes later.
        read_options=pa.csv.ReadOptions(block_size=len(raw) + 1, use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=_delimiter(raw), newlines_in_values=True),
    )
    _require_utf8(table, source)
    _refuse_open_quote(table, source)
    return table


def _require_utf8(table: pa.Table, source: Source) -> None:
    try:
        names = table.column_names
    except UnicodeDecodeError as error:
        raise InputError(f"The header of {source.name!r} is not UTF-8 text. Save the file as UTF-8.") from error
    for name, column in zip(names, table.columns, strict=True):
        if pa.types.is_binary(column.type):
            raise InputError(f"Column {name!r} of {source.name!r} is not UTF-8 text. Save the file as UTF-8.")


def _delimiter(raw: bytes) -> str:
    header = raw.lstrip(b"\r\n").split(b"\n", 1)[0]
    return "," if b"," in header else "\t" if b"\t" in header else ";" if b";" in header else ","


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
        return file.read()
