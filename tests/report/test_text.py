"""Text from data commands no terminal and becomes no markup."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from quantleak.report.text import aligned, code, escaped, markdown_table, printable

texts = st.text(max_size=30)
rows = st.lists(st.tuples(texts, texts), max_size=4)


@given(text=texts)
def test_printable_text_is_one_line_of_the_same_length(text):
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    assert all(after in (before, "?") for before, after in zip(text, shown, strict=True))


@given(text=texts)
def test_escaped_text_reads_as_it_was_and_holds_no_live_mark(text):
    shown = escaped(text)
    live = re.sub(r"\\.", "", shown)
    assert not set(live) & set("<>`*_[]|")
    assert html.unescape(re.sub(r"\\(.)", r"\1", shown)) == printable(" ".join(text.split())) or "\\" in text


@given(text=texts)
def test_a_code_span_cannot_be_left(text):
    assert not set(code(text)) & set("`|\n")


@given(body=rows)
def test_a_markdown_table_has_as_many_cells_in_every_row(body):
    lines = markdown_table(["a", "b"], body).splitlines()
    assert len(lines) == 2 + len(body)
    assert {len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) for line in lines} == {3}


@given(body=rows)
def test_columns_begin_at_one_place(body):
    lines = aligned(["first", "second"], body).split("\n")
    assert len(lines) == 1 + len(body)
    width = max(len(text) for text in ("first", *(row[0] for row in body)))
    for line, (first, _) in zip(lines[1:], body, strict=True):
        assert line[: len(first)].rstrip() == printable(first).rstrip()
        assert not line[len(first) : width + 2].strip()
