"""What else could explain a quantizer's figures: mere noise on the weights, and the calibration set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.figures import colours
from quantleak.report.figures.svg import drawn, quiet_axes
from quantleak.report.grid import Column, Row, Table, estimate, name, value
from quantleak.report.names import in_words
from quantleak.report.section import Drawing, Figure, Key, Section
from quantleak.report.summary import difference_of, leakage_title, mark, named, utility_title

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, NoiseComparison, QuantizerResult

WIDTH, HEIGHT, FONT = 240.0, 215.0, 11.0
NOISE = Markup(
    "Does quantization protect, or would noise do? Each quantizer is compared with Gaussian noise on the weights, of "
    "the size at which the utility is the same: both are measured for several sizes of noise, and lines are drawn "
    "between them. <b>Below 0</b> the quantizer reveals less than noise that costs as much; <b>at 0</b> it protects as "
    "any damage to the model does."
)
KEYS = (
    Key(path="M2 7H20", style="original", text="noise of several sizes, from none (the original) on"),
    Key(path="M11 2.5a4.5 4.5 0 1 0 .01 0Z", style="quantizer", text="the quantizer"),
)
CALIBRATION = Markup(
    "Some quantizers read examples, the calibration set. Where these are <b>members</b> (training examples), each "
    "model is calibrated on a random few of its own, and so is every adaptive shadow model. Members used for "
    "calibration and other members are counted apart; an AUC above 0.5 means that calibration reveals more about them "
    "than training alone. <b>Held-out</b> examples train no model; each model is calibrated on a random half of them, "
    "and the last column is the AUC of the strongest attack that tells the one half from the other. <b>Public</b> and "
    "<b>synthetic</b> examples reveal nothing about anyone."
)


def noise_section(result: AuditRecord) -> Section | None:
    """Each quantizer against noise at equal utility; None if the audit has no noise."""
    found = {row.spec: row.noise for row in result.quantizers if row.noise is not None}
    if not found:
        return None
    drawings = tuple(_drawing(result, result[spec], one) for spec, one in found.items() if one.curve)
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title=f"{leakage_title(result)}: quantizer"),
        Column(title="Noise of equal utility"),
        Column(title="Size of that noise"),
        Column(title="Quantizer less noise"),
    )
    rows = [_noise_row(result, result[spec], one) for spec, one in found.items()]
    caption = "Leakage beside that of noise at equal utility; sizes of noise in units of the quantizer’s own error"
    return Section(
        title="Against noise at equal utility",
        body=(NOISE, Figure(drawings=drawings, keys=KEYS), Table(caption=caption, columns=columns, rows=tuple(rows))),
    )


def calibration_section(result: AuditRecord) -> Section | None:
    """What calibration gives away; None if no quantizer reads examples."""
    rows = []
    for row in result.quantizers:
        one = row.calibration
        if one is None or row.is_control:
            continue
        form = digits.score if row.worst.fpr is None else digits.percent
        cells = (
            named(row.spec),
            name(one.source),
            value(one.examples, digits.count),
            estimate(one.found, form),
            estimate(one.others, form),
            estimate(one.alarms, form),
            estimate(one.difference, difference_of(row.worst)),
            estimate(one.auc, digits.score),
            estimate(one.held_out_auc, digits.score),
        )
        rows.append(Row(cells=cells, mark=mark(result, row.spec)))
    if not rows:
        return None
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Calibrated on", numeric=False),
        Column(title="Examples"),
        Column(title="Members used for it: found"),
        Column(title="Other members: found"),
        Column(title="Non-members: false alarms"),
        Column(title="Used less other members"),
        Column(title="AUC, used against other members"),
        Column(title="AUC, held-out examples used against unused"),
    )
    caption = f"{leakage_title(result)}, by what an example was used for"
    return Section(
        title="What the calibration set gives away",
        body=(CALIBRATION, Table(caption=caption, columns=columns, rows=tuple(rows))),
    )


def sentences(row: QuantizerResult) -> list[str]:
    """What controls say of one quantizer, a sentence each."""
    found = []
    form = difference_of(row.worst)
    if row.noise is not None and row.noise.value is not None:
        found.append(
            f"Compared with noise on the weights that costs as much utility, its leakage differs by "
            f"{estimate(row.noise, form)}."
        )
    one = row.calibration
    if one is not None:
        found.append(f"It was calibrated on {digits.count(one.examples)} examples ({one.source}).")
        if one.difference.value is not None:
            more = estimate(one.difference, form)
            found.append(
                f"The strongest attack finds {more} more of the members used for calibration than of other members."
            )
    return found


def _noise_row(result: AuditRecord, row: QuantizerResult, one: NoiseComparison) -> Row:
    form = digits.score if row.worst.fpr is None else digits.percent
    cells = (
        named(row.spec),
        estimate(row.worst, form),
        estimate(one.noise, form),
        value(one.factor, digits.significant),
        estimate(one, difference_of(row.worst)),
    )
    return Row(cells=cells, mark=mark(result, row.spec))


def _drawing(result: AuditRecord, row: QuantizerResult, one: NoiseComparison) -> Drawing:
    """Utility against leakage: the line of noise, and the quantizer."""
    points = [{"utility": point.utility, "leakage": point.leakage, "factor": point.factor} for point in one.curve]
    own = [{"utility": row.utility.value, "leakage": row.worst.value, "low": row.worst.low, "high": row.worst.high}]
    shares = row.worst.fpr is not None
    x = alt.X("utility:Q", axis=alt.Axis(title=utility_title(result), tickCount=4), scale=alt.Scale(zero=False))
    y_axis = alt.Axis(title=leakage_title(result), format="~%" if shares else ".2f", tickCount=5)
    y = alt.Y("leakage:Q", axis=y_axis, scale=alt.Scale(zero=shares))
    low = alt.Y("low:Q", axis=y_axis)
    noise = alt.Chart(alt.Data(values=points))
    quantizer = alt.Chart(alt.Data(values=own))
    marks = [
        noise.mark_line(color=colours.ORIGINAL, strokeWidth=1.3).encode(x=x, y=y, order="factor:Q"),
        noise.mark_point(color=colours.ORIGINAL, filled=True, size=22, opacity=1).encode(x=x, y=y),
        quantizer.mark_rule(color=colours.QUANTIZER, strokeWidth=1.3).encode(x=x, y=low, y2="high:Q"),
        quantizer.mark_point(color=colours.QUANTIZER, filled=True, size=70, opacity=1).encode(x=x, y=y),
    ]
    chart: alt.LayerChart = (
        alt.layer(*marks)
        .configure_view(stroke=None)
        .configure_axis(**quiet_axes(FONT))
        .properties(width=WIDTH, height=HEIGHT, background="transparent")
    )
    words = in_words(row.spec)
    description = f"Leakage against utility of {words} and of noise of several sizes; the table has the comparison."
    return Drawing(svg=drawn(chart.to_dict(validate=False), description), title=words)
