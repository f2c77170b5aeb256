"""Templates filled in: everything that comes from data is escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from quantleak.report import digits, markdown


@cache
def environment() -> Environment:
    """The templates of this room."""
    made = Environment(
        loader=PackageLoader("quantleak", "report"),
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["typeset"] = digits.typeset
    made.filters["rates"] = _rates
    made.filters["md"] = markdown.escaped
    made.filters["code"] = markdown.code
    made.filters["plain"] = digits.plain
    return made


def _rates(text: str) -> Markup:
    """An escaped text in which the names of rates are set as symbols."""
    symbols = {"r_Q": "<i>r</i><sub>Q</sub>", "R2": "<i>R</i>²"}
    safe = str(escape(text))
    for word, symbol in symbols.items():
        safe = safe.replace(word, symbol)
    return Markup(re.sub(r"\bz(?=$| &lt;)", "<i>z</i>", safe))


def render(template: str, **values: Any) -> str:
    """A template of this room filled in with `values`."""
    return environment().get_template(template).render(values)
