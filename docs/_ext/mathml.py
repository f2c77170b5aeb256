"""Formulas as MathML, which browsers draw by themselves: no script, no network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

# docutils sets an index of an accented letter below it, unless something stands between them.
ACCENTED = re.compile(r"\\(?:hat|bar|tilde)\s*(?:\\[a-zA-Z]+|\w|\{[^{}]*\})")
BARE_FRACTION = re.compile(r"(\\[td]?frac)(\w)(\w)")


def to_mathml(tex: str, *, block: bool = False) -> str:
    r"""MathML of a formula; `\frac12` and `\dots` are read as TeX reads them.

    Raises:
        MathError: If docutils cannot read it, with the formula.
    """
    known = BARE_FRACTION.sub(r"\1{\2}{\3}", tex).replace(r"\dots", r"\ldots")
    known = ACCENTED.sub(r"{\g<0>{}}", known)
    try:
        return str(tex2mathml(known, as_block=block))
    except MathError as error:
        raise MathError(f"{error} In the formula: {tex}") from error


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula of a line."""
    translator.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def visit_display(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on its own, wide ones scrolling by themselves."""
    formula = to_mathml(node.astext(), block=True)
    translator.body.append(f'<div class="math" style="overflow-x: auto" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
