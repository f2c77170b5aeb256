"""ROC curves on logarithmic axes, one panel per quantizer: the worst attack and LOSS, with the diagonal of guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from quantleak.report import digits, words
from quantleak.report.figures import colours
from quantleak.report.figures.svg import drawn, quiet_axes
from quantleak.report.grid import Cell, Column, Row, Table, between, name
from quantleak.report.names import in_words
from quantleak.report.section import Drawing, Figure, Key, Numbers, Section

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

LOSS = "loss"
SIDE, FONT = 190.0, 11.0
TITLE = "ROC curves at low false-positive rates"
LEAD = (
    "How many members the strongest attack finds at every rate of false alarms, on logarithmic axes down to the "
    "smallest rate that the examples support, with {confidence} intervals; means over the target models that did not "
    "choose the attack. What matters is the left edge: an attack that is sure of a few members shows there and nowhere "
    "else."
)
KEYS = (
    Key(path="M1 7h20", style="worst", text="strongest attack"),
    Key(path="M1 7h20", style="loss", text="LOSS, no shadow models"),
    Key(path="M1 7h20", style="guess", text="guessing"),
)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One quantizer's curves.

    Attributes:
        title: The quantizer in words.
        attack: The worst attack and its mode.
        worst: Its points: `fpr`, `tpr`, `low`, `high`.
        loss: Those of LOSS.
        floor: Lower end of both axes, the same for all panels.
    """

    title: str
    attack: str
    worst: pd.DataFrame
    loss: pd.DataFrame
    floor: float


def section(result: AuditRecord) -> Section:
    """The section."""
    made = panels(result)
    if not made:
        return Section(title=TITLE, body=("There are no curves: the examples support no false-positive rate.",))
    tables = (
        table(made, "worst", "Members found by the strongest attack, by rate of false alarms"),
        table(made, "loss", "Members found by LOSS, by rate of false alarms"),
    )
    return Section(
        title=TITLE,
        body=(
            LEAD.format(confidence=words.confidence(result)),
            Figure(drawings=drawings(made), keys=KEYS),
            Numbers(title="The numbers of these curves", tables=tables),
        ),
    )


def panels(result: AuditRecord) -> list[Panel]:
    """A panel for each quantizer that has a curve."""
    if not len(result.roc):
        return []
    floor = float(result.roc["fpr"].min())
    found = []
    for row in result.quantizers:
        points = result.roc[result.roc["quantizer"] == row.spec]
        chosen = (points["attack"] == row.worst.name) & (points["mode"] == row.worst.mode)
        if chosen.any():
            attack = row.worst.name if row.worst.mode == "none" else f"{row.worst.name}, {row.worst.mode}"
            loss = points[points["attack"] == LOSS]
            found.append(Panel(title=in_words(row.spec), attack=attack, worst=points[chosen], loss=loss, floor=floor))
    return found


def drawings(made: list[Panel]) -> tuple[Drawing, ...]:
    """The figure of each panel."""
    # Altair checks and copies for a tenth of a second what differs between panels in its data only.
    spec = chart(made[0].floor).to_dict(validate=False)
    described = "ROC curve of {} on logarithmic axes; the table has the same numbers."
    return tuple(
        Drawing(
            svg=drawn({**spec, "datasets": datasets(panel)}, described.format(panel.title)),
            title=panel.title,
            note=panel.attack,
        )
        for panel in made
    )


def chart(floor: float) -> alt.LayerChart:
    """Guessing dotted, LOSS dashed, the worst attack solid on the band of its intervals; see `datasets`."""
    guess, worst, loss = (alt.Chart(alt.NamedData(name=name)) for name in ("guess", "worst", "loss"))
    x, y = _axis("fpr", "False alarms", floor), _axis("tpr", "Members found", floor)
    low = _axis("low", "Members found", floor)
    marks = [
        guess.mark_line(strokeDash=[1, 3], color=colours.INK, opacity=0.7).encode(x=x, y=y),
        worst.mark_area(color=colours.QUANTIZER, opacity=0.2).encode(x=x, y=low, y2="high:Q"),
        loss.mark_line(strokeDash=[5, 3], strokeWidth=1.4, color=colours.ORIGINAL).encode(x=x, y=y),
        worst.mark_line(strokeWidth=2, color=colours.QUANTIZER).encode(x=x, y=y),
    ]
    made: alt.LayerChart = alt.layer(*marks).configure_view(stroke=None).configure_axis(**quiet_axes(FONT))
    return made.properties(width=SIDE, height=SIDE, background="transparent")


def datasets(panel: Panel) -> dict[str, list[dict[str, float]]]:
    """The data of one panel, by the names that `chart` has for it."""
    guess = [{"fpr": end, "tpr": end} for end in (panel.floor, 1.0)]
    return {"guess": guess, "worst": _rows(panel.worst, panel.floor), "loss": _rows(panel.loss, panel.floor)}


def _axis(field: str, title: str, floor: float) -> Any:
    steps = (1, 2, 5) if floor > 0.005 else (1,)
    ticks = [step * 10.0**power for power in range(-6, 1) for step in steps if floor * 0.999 <= step * 10.0**power <= 1]
    channel = alt.X if field == "fpr" else alt.Y
    scale = alt.Scale(type="log", domain=[floor, 1], nice=False)
    return channel(f"{field}:Q", scale=scale, axis=alt.Axis(title=title, values=ticks, format="~%"))


def _rows(points: pd.DataFrame, floor: float) -> list[dict[str, float]]:
    """Points no lower than the axis, on which zero has no place; without an interval the band has no height."""
    rows = []
    for point in points.to_dict("records"):
        tpr = float(point["tpr"])
        ends = {end: tpr if pd.isna(point[end]) else float(point[end]) for end in ("low", "high")}
        rows.append({"fpr": float(point["fpr"]), **{key: max(floor, v) for key, v in {"tpr": tpr, **ends}.items()}})
    return rows


def table(made: list[Panel], which: str, caption: str) -> Table:
    """The same numbers, a row per false-positive rate and a column per quantizer; `which` is `worst` or `loss`."""
    rates = sorted({rate for panel in made for rate in getattr(panel, which)["fpr"]})
    found = [{point["fpr"]: point for point in getattr(panel, which).to_dict("records")} for panel in made]
    columns = (Column(title="False alarms", numeric=False), *(Column(title=panel.title) for panel in made))
    rows = [Row(cells=(name(f"{100 * rate:.3g}%"), *(_cell(points.get(rate)) for points in found))) for rate in rates]
    return Table(caption=caption, columns=columns, rows=tuple(rows), tall=True)


def _cell(point: dict[Any, Any] | None) -> Cell:
    if point is None:
        return Cell(text=digits.MISSING)
    return between(float(point["tpr"]), float(point["low"]), float(point["high"]), digits.percent)
