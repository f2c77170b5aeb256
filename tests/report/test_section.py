"""A section is shown with everything in it, whatever it is made of, and nothing from the data becomes markup."""

import re

import pytest
from markupsafe import Markup

from quantleak.report.grid import Column, Row, Table, name
from quantleak.report.section import (
    Command,
    Drawing,
    Facts,
    Figure,
    Key,
    Note,
    Numbers,
    Page,
    Section,
    Terms,
    with_symbols,
)
from quantleak.report.template import render

HOSTILE = "<script>"


def table(caption):
    return Table(caption=caption, columns=(Column(title="title"),), rows=(Row(cells=(name(f"cell of {caption}"),)),))


def shown(*sections, lead=()):
    page = Page(
        headline="headline",
        kicker="about",
        source="source",
        lead=lead,
        sections=sections,
        footer="footer",
        version="1",
    )
    return render("page.html.j2", page=page)


BLOCKS = {
    "paragraph": ("a paragraph", "<p>a paragraph</p>"),
    "markup": (Markup("a <b>word</b>"), "<p>a <b>word</b></p>"),
    "table": (table("first"), "cell of first"),
    "terms": (Terms(items=("one", "two")), "<li>two</li>"),
    "facts": (Facts(title="Heading", items={"label": "text"}), "<dt>label</dt><dd>text</dd>"),
    "numbers": (Numbers(title="unfold", tables=(table("second"),)), "<summary>unfold</summary>"),
    "note": (Note(text="small"), '<p class="small">small</p>'),
    "command": (Command(title="Command", text="quantleak audit"), "<code>quantleak audit</code>"),
    "figure": (
        Figure(
            drawings=(Drawing(svg=Markup("<svg></svg>"), style="modes"),),
            keys=(Key(path="M1 7h20", style="guess", text="guessing"),),
        ),
        '<div class="drawing modes"><svg></svg></div>',
    ),
}


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("folded", [True, False])
def test_every_kind_of_block_is_shown(kind, folded):
    block, expected = BLOCKS[kind]
    text = shown(Section(title="dummy", body=(block,), folded=folded))
    assert expected in text
    assert ("<details class=" in text) == (folded or kind == "numbers")
    assert ("Skip to the details" in text) == folded


def test_sections_and_their_blocks_keep_their_order_and_none_is_left_out():
    sections = [Section(title=f"title {place}", body=(f"first {place}", None, f"second {place}")) for place in range(3)]
    found = re.findall(r"(title|first|second) (\d)", shown(*sections))
    assert found == [(word, str(place)) for place in range(3) for word in ("title", "first", "second")]


def test_drawings_with_titles_are_panels():
    panels = tuple(Drawing(svg=Markup("<svg></svg>"), title=f"panel {place}", note="note") for place in range(2))
    text = shown(Section(title="dummy", body=(Figure(drawings=panels),)))
    assert '<div class="panels">' in text
    assert "<figcaption><b>panel 1</b> note</figcaption>" in text


def test_a_figure_beside_the_body_has_its_remarks():
    text = shown(Section(title="first", body=(), folded=False, beside=Figure(drawings=(), remarks=("no figure",))))
    assert '<section class="first" aria-label="first">' in text
    assert "<p>no figure</p>" in text


@pytest.mark.parametrize(
    "block",
    [
        HOSTILE,
        Note(text=HOSTILE),
        Command(title=HOSTILE, text=HOSTILE),
        Terms(items=(HOSTILE, with_symbols(HOSTILE))),
        Facts(title=HOSTILE, items={HOSTILE: HOSTILE}),
        Numbers(title=HOSTILE, tables=(table(HOSTILE),)),
        Figure(
            drawings=(Drawing(svg=Markup("<svg></svg>"), title=HOSTILE, note=HOSTILE, style=HOSTILE),),
            keys=(Key(path=HOSTILE, style=HOSTILE, text=HOSTILE),),
        ),
    ],
    ids=lambda block: type(block).__name__,
)
def test_nothing_becomes_markup(block):
    text = shown(Section(title=HOSTILE, body=(block,)), lead=(HOSTILE,))
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") >= 3
