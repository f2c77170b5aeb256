"""Writes a study to disk: figures, claims, a summary, and one page that needs nothing else."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

import quantleak
from quantleak.report.grid import Cell, Column, Row, Table
from quantleak.report.template import environment
from quantleak.store import write, write_json
from quantleak.studies.common.claim import Judged
from quantleak.studies.common.figure import Figure
from quantleak.studies.common.numbers import MISSING, limits, number
from quantleak.studies.common.settings import StudySettings

VERDICTS = {True: ("✓", "holds"), False: ("✗", "refuted"), None: ("–", "not judged")}
MOST_ROWS = 250
"""Of a table on the page; longer ones must bring a shorter one."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the page of a study says beside its figures and claims.

    Attributes:
        title: Of the summary, such as `The synthetic study`.
        kicker: Which paper's study it is; stands above the question.
        question: The question of the study.
        setup: What was run, in a sentence.
        headlines: What was found, in a few sentences, the most important first.
        thresholds: When thresholds were written, in a sentence or two.
        open_parameters: What the paper leaves open, and what it is here.
        costs: Seconds by stage.
        papers_cost: What the paper says of its own cost.
        intervals: Over what intervals are.
    """

    title: str
    kicker: str
    question: str
    setup: str
    headlines: list[str]
    thresholds: str
    open_parameters: Table
    costs: Table
    papers_cost: str = ""
    intervals: str = "over models"


def write_page(settings: StudySettings, figures: Sequence[Figure], claims: Judged, words: Words, out: Path) -> None:
    """Write `figures/`, `claims.json`, `summary.md` and `index.html` into `out`.

    Equal numbers give equal bytes, but for what the summary and the page say of time and machine.

    Args:
        settings: What was run.
        figures: In the order of the page.
        claims: With their verdicts.
        words: All else that is said.
        out: The folder.
    """
    for figure in figures:
        write(out / "figures" / f"{figure.name}.csv", figure.csv.encode())
        write_json(out / "figures" / f"{figure.name}.json", figure.spec)
        write(out / "figures" / f"{figure.name}.png", figure.png)
    write_json(out / "claims.json", list(claims))
    values = {
        "study": settings,
        "words": words,
        "claims": [_claim(claim) for claim in claims],
        "machine": machine(),
        "version": quantleak.__version__,
        "figures": figures,
        "drawings": {figure.name: Markup(figure.svg) for figure in figures},
        "tables": {figure.name: shown_table(figure) for figure in figures},
    }
    for template, name in (("summary.md.j2", "summary.md"), ("study.html.j2", "index.html")):
        write(out / name, _templates().get_template(template).render(values).encode())


def machine() -> str:
    """Processor, number of processors, versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} processors; Python {platform.python_version()}, torch {torch.__version__}"


@cache
def _templates() -> Environment:
    """Those of the report, and ours."""
    reports = environment()
    assert reports.loader is not None
    return reports.overlay(loader=ChoiceLoader([PackageLoader("quantleak", "studies/common"), reports.loader]))


def _claim(claim: dict[str, Any]) -> dict[str, str]:
    """A claim as the page shows it."""
    mark, verdict = VERDICTS[claim["holds"]]
    doubt = "; the interval holds the threshold" if claim.get("decided") is False else ""
    return {
        "claim": claim["claim"],
        "source": claim["source"],
        "threshold": claim["threshold"],
        "paper": number(claim["paper"]),
        "ours": number(claim["ours"]),
        "limits": limits(claim["low"], claim["high"]),
        "mark": mark,
        "verdict": verdict,
        "doubt": doubt,
    }


def shown_table(figure: Figure) -> Table:
    """The numbers of a figure as a table of the page."""
    frame = figure.frame if figure.shown is None else figure.shown
    if len(frame) > MOST_ROWS:
        raise ValueError(f"{figure.name} has {len(frame)} rows for the page; give it a shorter `shown`.")
    ends = {column: _ends(list(frame.columns), place) for place, column in enumerate(frame.columns)}
    plain = [column for column in frame.columns if not any(column in pair for pair in ends.values())]
    columns = [Column(title=str(column), numeric=pd.api.types.is_numeric_dtype(frame[column])) for column in plain]
    rows = [
        Row(cells=tuple(replace(_cell(row[column]), limits=_limits(row, ends[column])) for column in plain))
        for row in frame.to_dict("records")
    ]
    return Table(caption=f"Numbers of {figure.name}", columns=tuple(columns), rows=tuple(rows))


def _ends(columns: list[str], place: int) -> tuple[str, ...]:
    """The columns that hold the limits of a column: named after it, or `low` and `high` that follow it."""
    own = (f"{columns[place]}_low", f"{columns[place]}_high")
    if set(own) <= set(columns):
        return own
    return ("low", "high") if columns[place + 1 : place + 3] == ["low", "high"] else ()


def _limits(row: dict[Any, Any], ends: tuple[str, ...]) -> str:
    if not ends or pd.isna(row[ends[0]]):
        return ""
    return f"[{', '.join(_cell(row[end]).text for end in ends)}]"


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return Cell(text=value)
    if pd.isna(value):
        return Cell(text=MISSING)
    return Cell(text=f"{value:.4g}" if isinstance(value, float) else f"{value}")
