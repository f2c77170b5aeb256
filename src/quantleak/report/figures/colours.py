"""Okabe and Ito's colours, that colour-blind readers can distinguish; each with a lighter one for a dark page.

Colour never carries meaning alone: the original has its own shape, the recommended quantizer a ring and bold type.
"""

from __future__ import annotations

INK = "#000000"
"""Text, axes and lines; the page's own colour of text takes its place."""

PAPER = "#FFFFFF"
"""The rim of points, so that those that touch stay apart; the page's own ground takes its place."""

ORIGINAL = "#D55E00"
QUANTIZER = "#0072B2"
CHOSEN = "#009E73"

VARIABLES = {PAPER: "--paper", ORIGINAL: "--original", QUANTIZER: "--quantizer", CHOSEN: "--chosen"}
"""Names under which a page may give other colours."""


def themed(colour: str) -> str:
    """A colour that a page can change.

    Example:
        >>> themed("#000000"), themed("#0072b2"), themed("none")
        ('currentColor', 'var(--quantizer, #0072B2)', 'none')
    """
    known = colour.upper()
    if known in {INK, "#000", "BLACK"}:
        return "currentColor"
    return f"var({VARIABLES[known]}, {known})" if known in VARIABLES else colour
