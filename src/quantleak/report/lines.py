"""Rows as plain text and as Markdown, the same rows in both."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their titles, each column as wide as its widest cell.

    Example:
        >>> print(aligned(["quantizer", "AUC"], [["sign", "0.512"]]))
        quantizer  AUC
        sign       0.512
    """
    table = [[plain(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Rows as a Markdown table in which no cell can end its cell or open HTML.

    Example:
        >>> print(markdown(["quantizer"], [["a|b<i>"]]))
        | quantizer |
        | --- |
        | a\|b&lt;i> |
    """
    body = [[escaped(cell) for cell in row] for row in (titles, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in body]
    lines.insert(1, f"|{' --- |' * len(titles)}")
    return "\n".join(lines)


def plain(text: str) -> str:
    """Without characters that would break a line or command a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def escaped(text: str) -> str:
    """For Markdown: nothing in it ends a table's cell or opens HTML."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
