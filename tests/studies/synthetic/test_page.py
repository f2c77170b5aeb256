"""The page, the summary and `claims.json` of a made-up study, read as a reader and a program would."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pytest

from quantleak.studies.common import Figure, page
from quantleak.studies.common.page import shown_table, write_page
from quantleak.studies.synthetic import STUDY, Findings, Tables
from quantleak.studies.synthetic.figures import figures
from quantleak.studies.synthetic.findings import COUNT, PAPER
from quantleak.studies.synthetic.words import headlines

Claims = list[dict[str, Any]]


class Reader(HTMLParser):
    """Tags with attributes, the text, and whether all are closed."""

    VOID = frozenset({"meta", "br", "path", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def claims(findings: Findings) -> Claims:
    return STUDY.judge(findings)


@pytest.fixture(scope="module")
def folder(
    findings: Findings, claims: Claims, made: dict[str, Figure], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("study")
    written(made, findings, claims, out)
    return out


def written(made: dict[str, Figure], findings: Findings, claims: Claims, out: Path) -> None:
    """The page of the made-up study, with figures that are drawn once for all tests."""
    write_page(findings.study, list(made.values()), claims, STUDY.words(findings, claims), out)


@pytest.fixture(scope="module")
def read(folder: Path) -> Reader:
    return Reader((folder / "index.html").read_text())


def test_every_file_is_written_whole(folder: Path, claims: Claims) -> None:
    figures = {path.name for path in (folder / "figures").iterdir()}
    names = {name.split(".")[0] for name in figures}
    assert {"fig1", "fig2", "fig5", "fig6", "fig7", "fig8", "table2", "agreement", "needed"} <= names
    assert figures == {f"{name}.{kind}" for name in names for kind in ("csv", "json", "png")}
    assert {path.name for path in folder.iterdir()} == {"figures", "claims.json", "summary.md", "index.html"}
    assert json.loads((folder / "claims.json").read_text()) == claims


def test_the_page_needs_nothing_else_and_runs_nothing(read: Reader, folder: Path) -> None:
    assert not read.open
    for forbidden in ("script", "link", "iframe", "img"):
        assert not read.named(forbidden)
    assert not [attributes for _, attributes in read.tags if any(name.startswith("on") for name in attributes)]
    targets = [str(attributes["href"]) for attributes in read.named("a")]
    ids = {str(attributes["id"]) for _, attributes in read.tags if attributes.get("id")}
    assert all((target[1:] in ids) if target.startswith("#") else (folder / target).exists() for target in targets)
    text = (folder / "index.html").read_text()
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert str(folder) not in text


def test_every_chart_has_its_table(read: Reader, folder: Path) -> None:
    drawn = [attributes for attributes in read.named("svg") if attributes.get("role") == "img"]
    assert len(drawn) == len(list((folder / "figures").glob("*.csv"))) == len(read.named("details"))
    assert all(attributes["aria-label"] for attributes in drawn)


def test_each_claim_stands_beside_its_finding(read: Reader, claims: Claims) -> None:
    words = [text.strip() for text in read.texts]
    assert words.count("holds") == sum(claim["holds"] is True for claim in claims) > 0
    assert words.count("refuted") == sum(claim["holds"] is False for claim in claims) > 0
    assert words.count("not judged") == sum(claim["holds"] is None for claim in claims) > 0
    assert any(text.startswith("Not judged:") for text in words)
    # The mark beside the word is another shape, not only another colour.
    assert {"✓", "✗"} <= set(words)


def test_equal_numbers_give_equal_bytes(
    findings: Findings, claims: Claims, made: dict[str, Figure], folder: Path, tmp_path: Path
) -> None:
    for figure in figures(findings):
        assert figure.csv == made[figure.name].csv
        assert json.dumps(figure.spec) == json.dumps(made[figure.name].spec)
    written(made, findings, claims, tmp_path)
    for path in sorted(folder.rglob("*.*")):
        again = tmp_path / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_the_summary_tells_cost_and_every_claim(folder: Path, claims: Claims) -> None:
    text = (folder / "summary.md").read_text()
    assert all(claim["claim"] in text for claim in claims)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.rstrip().count("|") for line in rows} == {7, 5}, "two tables, of six columns and of four"
    assert "240 s" in text
    assert "2,400 s" in text


def test_what_is_smaller_than_the_papers_is_said(folder: Path) -> None:
    text = (folder / "summary.md").read_text()
    assert "models 24 (300 in the paper)" in text
    assert "modes 8 (6, 8, 16 in the paper)" in text
    assert "epochs 3000" not in text


def test_headlines_follow_the_numbers(tables: Tables, findings: Findings, claims: Claims) -> None:
    told = headlines(findings, claims)
    assert len(told) == 6
    agreement = findings.perceptron["agreement"]
    largest = agreement[(agreement["score"] == "r_q") & (agreement["n_validation"] == 1000)]["spearman"].mean()
    assert f"{largest + 0.0:.2f} at N = 1,000" in told[4]
    assert len(headlines(replace(findings, perceptron={}), claims)) == 5
    mean = findings.overall.set_index("score")["spearman"][PAPER]
    assert f"correlation of {mean:.2f} [" in told[0]
    opposite = replace(findings, drawn=findings.drawn | {COUNT: findings.drawn[PAPER] - 0.5})
    assert "worse than r_Q" in headlines(opposite, claims)[1]
    ahead = replace(findings, drawn=findings.drawn | {COUNT: findings.drawn[PAPER] + 0.5})
    assert "better than r_Q" in headlines(ahead, claims)[1]
    equal = replace(findings, drawn=findings.drawn | {COUNT: findings.drawn[PAPER]})
    assert "not distinguished from r_Q" in headlines(equal, claims)[1]
    share = (tables.models["z"].dropna() < 2).mean()
    assert f"in {100 * share:.0f}% of models" in told[2]
    alone = headlines(replace(findings, tables=replace(tables, large=pd.DataFrame())), claims)[2]
    assert "median" not in alone


def test_a_figure_with_too_many_rows_must_bring_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "x_low": [0.5, float("nan")], "x_high": [1.5, float("nan")], "n": [3, 4]})
    figure = Figure(name="own", title="Own.", caption="", frame=frame, chart=alt.Chart())
    table = shown_table(figure)
    assert [column.title for column in table.columns] == ["x", "n"]
    assert [str(cell) for cell in table.rows[0].cells] == ["1 [0.5, 1.5]", "3"]
    assert [str(cell) for cell in table.rows[1].cells] == ["2", "4"]
    monkeypatch.setattr(page, "MOST_ROWS", 1)
    with pytest.raises(ValueError, match="own has 2 rows"):
        shown_table(figure)


def test_what_was_left_out_is_neither_drawn_nor_judged(findings: Findings, tmp_path: Path) -> None:
    left_out = replace(findings.tables, large=pd.DataFrame(), perceptron={}, exact={}, baseline=pd.DataFrame())
    bare = replace(findings, tables=left_out, perceptron={})
    drawn, judged = figures(bare), STUDY.judge(bare)
    assert not {"exact", "exact_ranking", "large_n", "perceptrons"} & {figure.name for figure in drawn}
    assert {"exact", "exact_ranking", "large_n"} <= {figure.name for figure in figures(findings)}
    assert any(claim["holds"] is None for claim in judged)
    write_page(bare.study, drawn, judged, STUDY.words(bare, judged), tmp_path)
    assert (tmp_path / "index.html").exists()
