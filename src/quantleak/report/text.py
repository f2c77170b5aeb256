"""Text for a terminal and for Markdown: names from data can neither command a terminal nor become markup."""

from __future__ import annotations

import re
from collections.abc import Sequence


def printable(text: str) -> str:
    """Without characters that break a line or command a terminal.

    Example:
        >>> printable("a" + chr(10) + "b")
        'a?b'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def aligned(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their titles, each column as wide as its widest cell.

    Example:
        >>> print(aligned(["quantizer", "AUC"], [["sign", "0.512"]]))
        quantizer  AUC
        sign       0.512
    """
    table = [[printable(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Rows as a Markdown table in which no cell can end its cell or open HTML.

    Example:
        >>> print(markdown_table(["quantizer"], [["a|b<i>"]]))
        | quantizer |
        | --- |
        | a\|b&lt;i&gt; |
    """
    lines = [f"| {' | '.join(map(escaped, row))} |" for row in (titles, *rows)]
    lines.insert(1, f"|{' --- |' * len(titles)}")
    return "\n".join(lines)


def escaped(text: object) -> str:
    r"""Text that Markdown shows as it is, on one line: no HTML, no link, no table cell that ends early.

    Example:
        >>> print(escaped("<b>*x*|[y](z)</b>"))
        &lt;b&gt;\*x\*\|\[y\](z)&lt;/b&gt;
    """
    line = printable(" ".join(str(text).split()))
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", safe)
    # Many renderers make links of bare addresses.
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def code(text: object) -> str:
    """Text for a code span, in which nothing but its own mark and the line's end has a meaning.

    Example:
        >>> code("a`b"), code("uniform:4|x")
        ("a'b", 'uniform:4/x')
    """
    return printable(str(text)).replace("`", "'").replace("|", "/")
