"""A page as records: a headline and a list of sections, each with its words, its drawings and its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from quantleak.report.grid import Table

LONG = 32


@dataclass(frozen=True, kw_only=True)
class Key:
    """An entry of a legend.

    Attributes:
        path: Its symbol, as the path of an SVG of 22 by 14.
        style: The CSS class of the symbol.
        text: What the symbol stands for.
    """

    path: str
    style: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """An inline SVG; its texts must be escaped already.

    Attributes:
        svg: The drawing.
        title: Its own caption, in bold; drawings that have one stand side by side as panels.
        note: What follows the title.
        style: A CSS class.
    """

    svg: Markup
    title: str = ""
    note: str = ""
    style: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Drawings with the legend that they share, and what is to be said about them."""

    drawings: tuple[Drawing, ...]
    keys: tuple[Key, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Tables that can be unfolded below a figure."""

    title: str
    tables: tuple[Table, ...]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A list of short texts."""

    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Labels with their texts, under a heading or none."""

    items: Mapping[str, str]
    title: str = ""

    def is_long(self, label: str) -> bool:
        """Whether the text of a label wants a line of its own."""
        return len(self.items[label]) > LONG


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to type, under a heading."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """A paragraph in small type."""

    text: str


Block = str | Figure | Numbers | Terms | Facts | Command | Note | Table
"""What a section is made of; a `str` is a paragraph, escaped unless it is `Markup`."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page.

    Attributes:
        title: Its heading.
        body: Its content, from top to bottom; None is left out, so that a table may be missing.
        beside: A figure to the left of the body. The section then shows no heading.
        folded: Whether the reader must open it. Open sections stand above the folded ones.
    """

    title: str
    body: tuple[Block | None, ...]
    beside: Figure | None = None
    folded: bool = True


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole page.

    Attributes:
        headline: The most important sentence.
        kicker: What the page is about; stands above the headline.
        source: Name of the data.
        lead: What follows the headline.
        sections: In the order of reading.
        footer: Where the numbers are.
        version: Of quantleak, as recorded in the result.
    """

    headline: str
    kicker: str
    source: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: str
    version: str


def kind(part: object) -> str:
    """The name under which a template knows a part.

    Example:
        >>> kind("text"), kind(Markup("text")), kind(Note(text="small"))
        ('text', 'text', 'note')
    """
    return "text" if isinstance(part, str) else type(part).__name__.lower()


def with_symbols(text: str) -> Markup:
    """A text, escaped unless it is `Markup`, in which the names of rates are set as symbols.

    Example:
        >>> print(with_symbols("r_Q < 1"))
        <i>r</i><sub>Q</sub> &lt; 1
    """
    safe = str(escape(text)).replace("r_Q", "<i>r</i><sub>Q</sub>").replace("R2", "<i>R</i>²")
    return Markup(re.sub(r"\bz(?=$| &lt;)", "<i>z</i>", safe))
