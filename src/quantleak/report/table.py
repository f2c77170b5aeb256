"""Shows an audit's result in a terminal and in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from quantleak.report import words
from quantleak.report.grid import Row, Table
from quantleak.report.summary import disagreement, short, summary, theory, unresolved
from quantleak.report.template import render
from quantleak.report.text import printable

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

WIDTH = 110


def text_table(result: AuditRecord) -> str:
    """The result as plain text of at most 110 columns: recommendation, one line per quantizer, what was trained.

    The recommended quantizer is marked with `>`. Of a spec too long for the line the middle is left out (`...`).
    """
    notes = [unresolved(result), disagreement(result), f"{words.trained(result)}."]
    advice = [words.headline(result.recommended), *words.advice(result.recommended)]
    warned = ["Before you trust this:", *(f"- {one.text}" for one in result.cautions)] if result.cautions else []
    table = "\n".join(_lines(short(result)))
    paragraphs = [_paragraph(advice), table, _paragraph(warned), _paragraph(notes)]
    return "\n\n".join(filter(None, paragraphs))


def html_table(result: AuditRecord) -> str:
    """The same as an HTML fragment for notebooks; every text from the data is escaped."""
    return render(
        "table.html.j2",
        headline=words.headline(result.recommended),
        advice=words.advice(result.recommended),
        tables=(summary(result), theory(result)),
        cautions=[one.text for one in result.cautions],
        notes=[note for note in (unresolved(result), disagreement(result), f"{words.trained(result)}.") if note],
    )


def _paragraph(texts: Iterable[str]) -> str:
    return "\n".join(_filled(printable(text)) for text in texts if text)


def _filled(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, subsequent_indent=indent)


def _lines(table: Table) -> list[str]:
    titles = [column.title for column in table.columns]
    cells = [[printable(str(cell)) for cell in row.cells] for row in table.rows]
    longest = [max(title.split(), key=len) for title in titles]
    widths = [max(map(len, column)) for column in zip(longest, *cells, strict=True)]
    # Whatever the numbers leave of the line is for the specs.
    widths[0] = min(widths[0], max(WIDTH - 2 * len(widths) - sum(widths[1:]), len("quantizer")))
    heads = [textwrap.wrap(*head) for head in zip(titles, map(max, widths, map(len, longest)), strict=True)]
    deep = max(map(len, heads))
    lines = [
        _line("  ", list(level), table, widths)
        for level in zip(*([""] * (deep - len(head)) + head for head in heads), strict=True)
    ]
    lines += [_line(_mark(row), texts, table, widths) for row, texts in zip(table.rows, cells, strict=True)]
    return lines


def _line(mark: str, texts: list[str], table: Table, widths: list[int]) -> str:
    first, *rest = (
        f"{text:>{width}}" if column.numeric else f"{_cut(text, width):<{width}}"
        for text, column, width in zip(texts, table.columns, widths, strict=True)
    )
    return (mark + "  ".join([first, *rest])).rstrip()


def _mark(row: Row) -> str:
    return "> " if row.mark else "  "


def _cut(text: str, width: int) -> str:
    """The text; where it is too long its ends, which tell specs of one quantizer apart."""
    end = (width - 3) // 2
    return text if len(text) <= width else text[: width - 3 - end] + "..." + text[len(text) - end :]
