"""`.. studies::` lists the pages that studies have left under docs/studies; there may be none."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).parents[1]


class Studies(SphinxDirective):
    """A table of contents, if there is something in it."""

    def run(self) -> list[nodes.Node]:
        """The toctree, or a sentence."""
        self.env.note_reread()
        pages = sorted(path.relative_to(DOCS).with_suffix("") for path in DOCS.glob("studies/*/*.md"))
        entries = [f"   /{page.as_posix()}" for page in pages]
        lines = [".. toctree::", "   :maxdepth: 1", "", *entries] if pages else ["None is kept here yet."]
        found = nodes.section()
        found.document = self.state.document
        self.state.nested_parse(StringList(lines, source="docs/studies"), self.content_offset, found)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("studies", Studies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
