"""What the attacker gains from knowing the quantizer: adaptive, transferred and recalibrated shadows side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert
from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.figures import colours
from quantleak.report.figures.svg import quiet_axes, themed
from quantleak.report.grid import Column, Row, Table, name
from quantleak.report.names import in_words
from quantleak.report.summary import difference, leakage_title, mark, named

if TYPE_CHECKING:
    from quantleak.results import AttackResult, AuditRecord, Number, QuantizerResult

MODES = ("adaptive", "transfer", "recalibrated")
SHAPES = ("circle", "square", "triangle-up")
COLOURS = (colours.QUANTIZER, colours.ORIGINAL, colours.CHOSEN)
FALLBACK = "lira-online"
WIDTH, STEP, FONT = 330.0, 13.0, 11.5


def attack_of(row: QuantizerResult) -> dict[str, AttackResult]:
    """By mode, the worst attack of a quantizer, or online LiRA where the worst needs no shadows."""
    chosen = FALLBACK if row.worst.mode == "none" else row.worst.name
    own = (attack for attack in row.attacks if attack.via is None)
    return {attack.mode: attack for attack in own if attack.name == chosen and attack.mode in MODES}


def figure_of(row: QuantizerResult, attack: AttackResult) -> Number:
    """The headline measure of one attack on all targets."""
    fpr = row.worst.fpr
    return attack.auc if fpr is None else attack.tpr.get(f"{fpr:g}", attack.auc)


def table(result: AuditRecord) -> Table:
    """One row a quantizer, one column a mode."""
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
        cells = (named(row.spec), name(attack), *(difference(number, form) for number in numbers))
        rows.append(Row(cells=cells, mark=mark(result, row.spec)))
    return Table(caption=f"{leakage_title(result)}, by what the shadows are", columns=columns, rows=tuple(rows))


def drawing(result: AuditRecord) -> Markup | None:
    """The table as a figure; None without a number."""
    points = rows(result)
    if not points:
        return None
    description = "Leakage by quantizer and kind of shadow models; the table has the same numbers."
    return Markup(
        themed(vl_convert.vegalite_to_svg(chart(points, leakage_title(result)).to_dict(validate=False)), description)
    )


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
    """A line a quantizer and mode: a point of the mode's own shape on the bar of its interval."""
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
