"""What the attacker gains by quantizing the shadow models too: adaptive, transfer and recalibrated side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.figures import colours
from quantleak.report.figures.svg import drawn, quiet_axes
from quantleak.report.grid import Column, Row, Table, estimate, name
from quantleak.report.names import in_words
from quantleak.report.section import Drawing, Figure, Key, Numbers, Section
from quantleak.report.summary import leakage_title, mark, named

if TYPE_CHECKING:
    from quantleak.results import AttackResult, AuditRecord, Estimate, QuantizerResult

MODES = ("adaptive", "transfer", "recalibrated")
SHAPES = ("circle", "square", "triangle-up")
COLOURS = (colours.QUANTIZER, colours.ORIGINAL, colours.CHOSEN)
FALLBACK = "lira-online"
WIDTH, STEP, FONT = 330.0, 13.0, 11.5
LEAD = Markup(
    "<b>Adaptive</b> shadow models are quantized as the target is. <b>Transfer</b>: they have full precision. "
    "<b>Recalibrated</b>: they have full precision, and the target’s signals are mapped back to it by a map fitted on "
    "the population. Each quantizer is shown under its strongest attack (online LiRA where that needs no shadows). "
    "Where transfer lies below adaptive, an audit without quantized shadows would have reported too little."
)
KEYS = (
    Key(path="M11 2.5a4.5 4.5 0 1 0 .01 0Z", style="quantizer", text="adaptive"),
    Key(path="M7 3h8v8H7Z", style="transfer", text="transfer"),
    Key(path="M11 2l5 9H6Z", style="recalibrated", text="recalibrated"),
)


def section(result: AuditRecord) -> Section:
    """The section; without a number there is no figure."""
    points = rows(result)
    figure = Figure(drawings=(drawing(points, leakage_title(result)),), keys=KEYS) if points else None
    return Section(
        title="What the attacker knows: adaptive, transferred and recalibrated shadows",
        body=(LEAD, figure, Numbers(title="The numbers of this figure", tables=(table(result),))),
    )


def attack_of(row: QuantizerResult) -> dict[str, AttackResult]:
    """By mode, the worst attack of a quantizer, or online LiRA where the worst needs no shadows."""
    chosen = FALLBACK if row.worst.mode == "none" else row.worst.name
    own = (attack for attack in row.attacks if attack.via is None)
    return {attack.mode: attack for attack in own if attack.name == chosen and attack.mode in MODES}


def figure_of(row: QuantizerResult, attack: AttackResult) -> Estimate:
    """The headline measure of one attack."""
    fpr = row.worst.fpr
    return attack.auc if fpr is None else attack.tpr.get(f"{fpr:g}", attack.auc)


def table(result: AuditRecord) -> Table:
    """One row per quantizer, one column per mode."""
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Attack", numeric=False),
        *(Column(title=mode.capitalize()) for mode in MODES),
    )
    rows = []
    for row in result.quantizers:
        found = attack_of(row)
        form = digits.score if row.worst.fpr is None else digits.percent
        numbers = [figure_of(row, found[mode]) if mode in found else None for mode in MODES]
        attack = next(iter(found.values())).name if found else digits.MISSING
        cells = (named(row.spec), name(attack), *(estimate(number, form) for number in numbers))
        rows.append(Row(cells=cells, mark=mark(result, row.spec)))
    return Table(caption=f"{leakage_title(result)}, by what the shadows are", columns=columns, rows=tuple(rows))


def drawing(points: list[dict[str, Any]], title: str) -> Drawing:
    """The points as a figure."""
    description = "Leakage by quantizer and kind of shadow models; the table has the same numbers."
    return Drawing(svg=drawn(chart(points, title).to_dict(validate=False), description), style="modes")


def rows(result: AuditRecord) -> list[dict[str, Any]]:
    """A point for each quantizer and mode that has a number."""
    points = []
    for row in result.quantizers:
        for mode, attack in attack_of(row).items():
            number = figure_of(row, attack)
            if number.value is not None:
                low, high = (number.value if end is None else end for end in (number.low, number.high))
                points.append(
                    {"quantizer": in_words(row.spec), "mode": mode, "value": number.value, "low": low, "high": high}
                )
    return points


def chart(points: list[dict[str, Any]], title: str) -> alt.LayerChart:
    """A line per quantizer and mode: a point of the mode's own shape on the bar of its interval."""
    base = alt.Chart(alt.Data(values=points))
    shares = "%" in title
    x_axis = alt.Axis(title=title, format="~%" if shares else ".2f", tickCount=6)
    y = alt.Y("quantizer:N", sort=None, axis=alt.Axis(title=None))
    offset = alt.YOffset("mode:N", sort=list(MODES))
    scale = alt.Scale(domain=list(MODES), range=list(COLOURS))
    colour = alt.Color("mode:N", scale=scale, legend=None)
    shape = alt.Shape("mode:N", scale=alt.Scale(domain=list(MODES), range=list(SHAPES)), legend=None)
    from_ = alt.X("low:Q", axis=x_axis, scale=alt.Scale(zero=shares))
    marks = [
        base.mark_rule(strokeWidth=1.3, opacity=0.6).encode(x=from_, x2="high:Q", y=y, yOffset=offset, color=colour),
        base.mark_point(filled=True, size=52, opacity=1).encode(
            x=alt.X("value:Q", axis=x_axis), y=y, yOffset=offset, color=colour, shape=shape
        ),
    ]
    style = quiet_axes(FONT) | {"labelFontSize": FONT, "labelLimit": 150}
    made: alt.LayerChart = (
        alt.layer(*marks)
        .configure_view(stroke=None)
        .configure_axis(**style)
        .properties(width=WIDTH, height=alt.Step(STEP), background="transparent")
    )
    return made
