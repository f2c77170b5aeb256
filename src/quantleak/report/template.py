"""Fills in the templates of the report; everything that comes from data is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from quantleak.report import digits, section, text


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
    made.filters["plain"] = digits.plain
    made.filters["rates"] = section.with_symbols
    made.filters["kind"] = section.kind
    made.filters["md"] = text.escaped
    made.filters["code"] = text.code
    return made


def render(template: str, **values: Any) -> str:
    """A template of this room filled in with `values`."""
    return environment().get_template(template).render(values)
