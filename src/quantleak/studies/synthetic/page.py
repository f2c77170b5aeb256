"""The study on disk: figures, claims, a summary, and one page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader
from markupsafe import Markup

import quantleak
from quantleak.report.grid import Cell, Column, Row, Table
from quantleak.report.template import environment
from quantleak.store import write, write_json
from quantleak.studies.common import Figure
from quantleak.studies.synthetic import about, cost
from quantleak.studies.synthetic.figures import figures
from quantleak.studies.synthetic.findings import Findings
from quantleak.studies.synthetic.findings.numbers import MISSING, limits, number
from quantleak.studies.synthetic.headlines import headlines
from quantleak.studies.synthetic.jobs import Synthetic, Tables

Claims = Sequence[dict[str, Any]]
VERDICTS = {True: ("✓", "holds"), False: ("✗", "refuted"), None: ("–", "not judged")}
MOST_ROWS = 250
"""Of a table on the page; longer ones must bring a shorter one."""


def write_study(study: Synthetic, tables: Tables, findings: Findings, claims: Claims, out: Path) -> None:
    """Write `figures/`, `claims.json`, `summary.md` and `index.html` into `out`.

    Equal numbers give equal bytes, but for what the summary and the page say of time and machine.

    Args:
        study: Its settings.
        tables: What came out.
        findings: Of these tables.
        claims: With their verdicts.
        out: The folder.
    """
    made = figures(study, tables, findings)
    drawings = {figure.name: Markup(figure.svg) for figure in made}
    for figure in made:
        write(out / "figures" / f"{figure.name}.csv", figure.csv.encode())
        write_json(out / "figures" / f"{figure.name}.json", figure.spec)
        write(out / "figures" / f"{figure.name}.png", figure.png)
    write_json(out / "claims.json", [_finite(claim) for claim in claims])
    values = {
        "command": study.command,
        "setup": about.in_one_line(study),
        "departures": about.departures(study),
        "headlines": headlines(study, tables, findings, claims),
        "claims": [_claim(claim) for claim in claims],
        "machine": cost.machine(),
        "costs": cost.table(study, tables.seconds),
        "version": quantleak.__version__,
        "figures": made,
    }
    write(out / "summary.md", _templates().get_template("summary.md.j2").render(values).encode())
    shown = {figure.name: shown_table(figure) for figure in made}
    page = _templates().get_template("study.html.j2")
    write(
        out / "index.html",
        page.render(values, drawings=drawings, tables=shown, open_parameters=about.open_parameters(study)).encode(),
    )


@cache
def _templates() -> Environment:
    """Those of the report, and ours."""
    reports = environment()
    assert reports.loader is not None
    return reports.overlay(loader=ChoiceLoader([PackageLoader("quantleak", "studies/synthetic"), reports.loader]))


def _claim(claim: dict[str, Any]) -> dict[str, str]:
    """A claim as the page tells it."""
    mark, verdict = VERDICTS[claim["holds"]]
    return {
        "claim": claim["claim"],
        "source": claim["source"],
        "threshold": claim["threshold"],
        "paper": number(claim["paper"]),
        "ours": number(claim["ours"]),
        "limits": limits(claim["low"], claim["high"]),
        "mark": mark,
        "verdict": verdict,
    }


def _finite(claim: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in claim.items()}


def shown_table(figure: Figure) -> Table:
    """The numbers of a figure as a table of the page."""
    frame = figure.frame if figure.shown is None else figure.shown
    if len(frame) > MOST_ROWS:
        raise ValueError(f"{figure.name} has {len(frame)} rows for the page; give it a shorter `shown`.")
    ends = {column: _ends(list(frame.columns), place) for place, column in enumerate(frame.columns)}
    told = [column for column in frame.columns if not any(column in pair for pair in ends.values())]
    columns = [Column(title=str(column), numeric=pd.api.types.is_numeric_dtype(frame[column])) for column in told]
    rows = [
        Row(cells=tuple(replace(_cell(row[column]), limits=_limits(row, ends[column])) for column in told))
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
