"""`.. verbs::` writes the reference of the command from the command itself, so that it cannot grow stale."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles


def reference() -> Iterator[str]:
    """The reference as reStructuredText, line by line."""
    import typer

    from quantleak.cli import app

    group: Any = typer.main.get_command(app)
    yield from (group.help or "", "", group.epilog or "", "")
    for name, command in sorted(group.commands.items()):
        title = f"quantleak {name}"
        yield from (title, "-" * len(title), "")
        yield from _help(command)
        yield from _parameters(command)


def _help(command: Any) -> Iterator[str]:
    """The description, then the examples as a block to copy."""
    help_text = "\n\n".join(filter(None, [inspect.cleandoc(command.help or ""), command.epilog]))
    text, _, examples = help_text.partition("Examples:")
    yield from (*text.strip().splitlines(), "")
    calls = [line.strip() for line in examples.splitlines() if line.strip()]
    if calls:
        yield from (".. code-block:: sh", "", *(f"   {call}" for call in calls), "")


def _parameters(command: Any) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 30 70", "", "   * - argument", "     - meaning")
    for parameter in command.params:
        if parameter.name == "help":
            continue
        words = ", ".join(f"``{name}``" for name in [*parameter.opts, *parameter.secondary_opts])
        yield f"   * - {words if parameter.opts[0].startswith('-') else f'``{parameter.name.upper()}``'}"
        yield f"     - {_meaning(parameter)}"
    yield ""


def _meaning(parameter: Any) -> str:
    text = " ".join((parameter.help or "").split()).rstrip(".").replace("\\", "\\\\").replace("*", "\\*")
    default = parameter.default
    shown = "" if default in (None, False, [], ()) or callable(default) else f" Default: ``{default}``."
    return f"{text}.{shown}{' Required.' if parameter.required else ''}"


class Verbs(SphinxDirective):
    """The reference of every verb."""

    def run(self) -> list[nodes.Node]:
        """Parsed reStructuredText."""
        found = nodes.section()
        found.document = self.state.document
        nested_parse_with_titles(self.state, StringList(list(reference()), source="quantleak.cli"), found)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("verbs", Verbs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
