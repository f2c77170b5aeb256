"""Tables as records, from which plain text, a notebook's fragment and the tables of a page are made."""

from __future__ import annotations

from dataclasses import dataclass

from quantleak.report import digits
from quantleak.report.digits import Format, Interval
from quantleak.results import Estimate, finite

UNFIT = "least leaking"
"""The mark of a row that stands out without being recommended."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        title: Its title.
        numeric: Whether it holds numbers, which are aligned to the right.
        wraps: Whether it holds sentences, which may take several lines.
    """

    title: str
    numeric: bool = True
    wraps: bool = False

    @property
    def classes(self) -> str:
        """Names of the styles of its cells."""
        return " ".join(style for style, on in (("number", self.numeric), ("wraps", self.wraps)) if on)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What stands in one place.

    Attributes:
        text: The value.
        limits: Its interval, in brackets.
        note: A remark to the value, such as `not resolved`.
    """

    text: str
    limits: str = ""
    note: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.text, self.limits, self.note) if part)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        cells: One per column; the first names the row.
        mark: What sets the row apart, such as `recommended`.
        reason: Why there are no more cells; stands in place of those that are missing.
        opens: The first row of a group.
    """

    cells: tuple[Cell, ...]
    mark: str = ""
    reason: str = ""
    opens: bool = False

    @property
    def classes(self) -> str:
        """Names of the styles of the row."""
        chosen = self.mark and self.mark != UNFIT
        styles = (("marked", self.mark), ("chosen", chosen), ("opens", self.opens))
        return " ".join(style for style, on in styles if on)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns and rows under a caption.

    Attributes:
        caption: What the table shows.
        columns: Its columns.
        rows: Its rows.
        tall: Whether a page gives it a height of its own, in which it scrolls.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    tall: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns) and not (row.reason and len(row.cells) < len(self.columns)):
                raise ValueError(f"A row has {len(row.cells)} cells for {len(self.columns)} columns: {row}")


def name(text: str, note: str = "") -> Cell:
    """A cell of words."""
    return Cell(text=text, note=note)


def value(number: float | int | None, form: Format, note: str = "") -> Cell:
    """A cell with a number without an interval."""
    return Cell(text=digits.text(number, form), note=note)


def between(value: float, low: float, high: float, form: Format) -> Cell:
    """A cell with a number and its interval, given as floats; limits that are not finite are left out.

    Example:
        >>> str(between(0.5, 0.25, 0.75, digits.percent)), str(between(0.5, float("nan"), 0.75, digits.percent))
        ('50.0% [25.0, 75.0]', '50.0%')
    """
    return estimate(Estimate(value=value, low=finite(low), high=finite(high)), form)


def estimate(number: Interval | None, form: Format) -> Cell:
    """A cell with a number and its interval; the sign for a missing one where there is no number at all."""
    if number is None:
        return Cell(text=digits.MISSING)
    return Cell(text=digits.text(number.value, form), limits=digits.limits(number, form))
