"""`.. room:: quantleak.theory` documents every public name of a room, in the order of its table of contents."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import GenericAlias
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

API = Path(__file__).parents[1] / "api"
FORMULA = re.compile(r"\$([^$\n]+)\$")
KEYS = (
    "Aubinais2025",
    "Cameron2011",
    "Carlini2022",
    "Croux2010",
    "DeLong1988",
    "Geisser1993",
    "Hanley1982",
    "Newcombe2006",
    "Smyth2004",
    "Wilson1927",
    "Yeom2018",
    "Zarifzadeh2024",
    "Zhang2025",
)
STAR_OR_BAR = re.compile(r"(?<=[\[(, ])\*(?=[a-z])|\|")
CITED = re.compile(rf"\[({'|'.join(KEYS)})\](?!_)")


def public_names(module: str) -> list[str]:
    """What a room offers: for a package what its `__init__` imports, for a file what it defines."""
    room = importlib.import_module(module)
    if hasattr(room, "__path__"):
        source = inspect.getsource(room)
        found = re.findall(r"import (\w+) as \1$", source, re.MULTILINE) + re.findall(
            r"^(?:def|class) (\w+)", source, re.MULTILINE
        )
        constants = re.findall(r"^([A-Z][A-Z_]+):? ?[^=]*=", source, re.MULTILINE)
        return found + constants
    defined = [name for name, thing in vars(room).items() if getattr(thing, "__module__", None) == module]
    return [name for name in defined if not name.startswith("_") and callable(getattr(room, name))]


def place_of(thing: Any, room: str) -> str:
    """The module on whose page a thing of a room stands: the innermost of those around it that has a page."""
    inner = str(getattr(thing, "__module__", room)).split(".")
    around = [".".join(inner[:depth]) for depth in range(len(inner), 1, -1)]
    return next((module for module in around if (API / f"{module.removeprefix('quantleak.')}.rst").exists()), room)


def directive_of(thing: Any) -> str:
    """Which directive of autodoc documents a thing."""
    if inspect.isclass(thing):
        return "autoexception" if issubclass(thing, Exception) else "autoclass"
    return "autofunction" if callable(thing) and not isinstance(thing, GenericAlias) else "autodata"


class Room(SphinxDirective):
    """The names of a room."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Autodoc for each name."""
        module = self.arguments[0]
        room = importlib.import_module(module)
        lines = [f".. automodule:: {module}", "   :no-members:", ""]
        for name in public_names(module):
            if (place := place_of(getattr(room, name), module)) != module:
                lines += [f"{name}: see :py:obj:`{place}.{name}`.", ""]
                continue
            lines.append(f".. {directive_of(getattr(room, name))}:: {module}.{name}")
            lines += ["   :members:"] if inspect.isclass(getattr(room, name)) else []
            lines += [""]
        found = nodes.section()
        found.document = self.state.document
        self.state.nested_parse(StringList(lines, source=module), self.content_offset, found)
        return found.children


class Contents(SphinxDirective):
    """The names of `import quantleak as ql`, each with the first line of its docstring."""

    def run(self) -> list[nodes.Node]:
        """A list of links."""
        import quantleak

        lines = [
            _entry(name, getattr(quantleak, name), quantleak._HOME.get(name, "quantleak")) for name in quantleak.__all__
        ]
        found = nodes.section()
        found.document = self.state.document
        self.state.nested_parse(StringList(lines, source="quantleak"), self.content_offset, found)
        return found.children


def _entry(name: str, thing: Any, home: str) -> str:
    """A line of a list: the name with a link, and what it is."""
    role = (
        "mod"
        if inspect.ismodule(thing)
        else "class"
        if inspect.isclass(thing)
        else "func"
        if callable(thing)
        else "data"
    )
    summary = "" if role == "data" else (inspect.getdoc(thing) or "").split("\n")[0]
    summary = FORMULA.sub(r":math:`\1`", CITED.sub(r"\1", summary))
    return f"- :py:{role}:`ql.{name} <{place_of(thing, home)}.{name}>` {'-- ' + summary if summary else ''}".rstrip()


def translate(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Docstrings are near Markdown: formulas between dollars, citations by key, stars and bars that mean themselves."""
    kind = thing.__origin__ if isinstance(thing, GenericAlias) else type(thing)
    if what == "data" and lines[:1] == (inspect.getdoc(kind) or "").splitlines()[:1]:
        lines.clear()  # a constant without words of its own shows those of its type
    if what == "property" and lines and lines[-1].startswith(":type: "):
        # Napoleon takes what stands before a colon for a type.
        lines[:] = [f"{lines[-1].removeprefix(':type: ')}: {lines[0]}", *lines[1:-1]]
    directive: int | None = None
    for place, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if directive is not None and line.strip() and indent <= directive:
            directive = None
        if line.lstrip().startswith(".. "):
            directive = indent
        if directive is None and not line.lstrip().startswith((">>>", "...")):
            lines[place] = "`".join(part if number % 2 else _plain(part) for number, part in enumerate(line.split("`")))


def _plain(text: str) -> str:
    text = STAR_OR_BAR.sub(r"\\\g<0>", text) if "$" not in text else text
    return CITED.sub(r"[\1]_", FORMULA.sub(r":math:`\1`", text))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives."""
    app.add_directive("room", Room)
    app.add_directive("contents-of-quantleak", Contents)
    app.connect("autodoc-process-docstring", translate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
