"""The two drawings of the study: a list of rows with intervals, and a plane of accuracy and leakage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, GREEN, INK, ORANGE, finished, grid, layered
from quantleak.studies.vision.jobs import ADAPTIVE, TERNARY, TRANSFER

WIDTH, HEIGHT = 300.0, 250.0
LINE = 25.0
"""Pixels of a row of a list."""
GUESSING = 0.01
"""What guessing finds at 1% false alarms."""
FLOOR = 1e-3
"""Where a logarithmic axis of rates begins at the latest; what lies below is drawn there."""

NAMES = {"adaround": "AdaRound", "brecq": "BRECQ", "obq": "OBQ", "rtn": "nearest"}
BY_METHOD = {
    "AdaRound": (BLUE, "circle"),
    "BRECQ": (GREEN, "triangle-up"),
    "OBQ": (ORANGE, "square"),
    "nearest": (INK, "diamond"),
}
FLOAT_SHADOWS, QUANTIZED_SHADOWS, ANY_ATTACK = "float shadows (paper)", "quantized shadows", "strongest attack"
BY_ATTACKER = {
    FLOAT_SHADOWS: (ORANGE, "square"),
    QUANTIZED_SHADOWS: (BLUE, "circle"),
    ANY_ATTACK: (INK, "diamond"),
}
ATTACKER = {TRANSFER: FLOAT_SHADOWS, ADAPTIVE: QUANTIZED_SHADOWS}


def width_name(width: str) -> str:
    """Bits as a label.

    Example:
        >>> width_name("4"), width_name("ternary")
        ('4 bits', 'ternary')
    """
    return width if width == TERNARY else f"{width} bits"


def series(styles: dict[str, tuple[str, str]], present: Sequence[str], legend: bool = True) -> dict[str, Any]:
    """Colour and shape of marks by their `series`."""
    shown = [name for name in styles if name in present]
    key = alt.Legend(title=None, columns=len(shown)) if legend and len(shown) > 1 else None
    colours, shapes = ([styles[name][which] for name in shown] for which in (0, 1))
    return {
        "color": alt.Color("series:N", scale=alt.Scale(domain=shown, range=colours), legend=key),
        "shape": alt.Shape("series:N", scale=alt.Scale(domain=shown, range=shapes), legend=key),
    }


def listed(
    frame: pd.DataFrame,
    title: str,
    axis: str,
    styles: dict[str, tuple[str, str]],
    *,
    percent: bool = True,
    line: float | None = None,
    named: bool = True,
) -> alt.LayerChart:
    """Rows one below the other, each with a mark and an interval per series.

    Args:
        frame: Columns `name` (of the row, in order), `series`, `value`, `low`, `high`; limits may be missing.
        title: Of the panel.
        axis: Of its horizontal axis.
        styles: Colour and shape by series.
        percent: Whether values are shares that read as percentages.
        line: Where a dashed line stands, such as at guessing.
        named: Whether the names of the rows stand beside the panel.
    """
    order = list(dict.fromkeys(frame["name"]))
    present = list(dict.fromkeys(frame["series"]))
    label = alt.Axis(title=None, labelLimit=260, ticks=False, domain=False) if named else None
    y: dict[str, Any] = {"y": alt.Y("name:N", sort=order, axis=label)}
    offset = alt.YOffset("series:N", sort=present)
    scale = alt.Scale(zero=False, nice=True)
    x = alt.X("value:Q", scale=scale, axis=alt.Axis(title=axis, format=".1%" if percent else ".2f", tickCount=5))
    base = alt.Chart(rows(frame))
    drawn = series(styles, present)
    marks: list[alt.Chart] = [
        base.mark_rule(strokeWidth=1.3, opacity=0.6).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", yOffset=offset, color=drawn["color"], **y
        ),
        base.mark_point(filled=True, size=46, opacity=1).encode(x=x, yOffset=offset, **drawn, **y),
    ]
    if line is not None:
        rule = alt.Chart(pd.DataFrame([{"value": line}])).mark_rule(strokeDash=[4, 3], color=INK, opacity=0.55)
        marks.insert(0, rule.encode(x=alt.X("value:Q", scale=scale)))
    return layered(marks, WIDTH, LINE * len(order), title)


def plane(
    frame: pd.DataFrame,
    title: str,
    styles: dict[str, tuple[str, str]],
    original: pd.DataFrame,
    *,
    lines: pd.DataFrame | None = None,
    legend: bool = True,
) -> alt.LayerChart:
    """Accuracy to the right, leakage up on a logarithmic axis, points of a series joined in order.

    Args:
        frame: Columns `accuracy`, `value`, `low`, `high`, `series`, `label`, in the order in which they are joined.
        title: Of the panel.
        styles: Colour and shape by series.
        original: The same of the original, one row.
        lines: Curves of controls, with a column `control` in place of `series`: the first solid, the second dashed.
        legend: Whether the series are explained below.
    """
    every = [part for part in (frame, original, lines) if part is not None and len(part)]
    least = min(GUESSING / 1.3, max(FLOOR, min(float(part["value"].clip(lower=FLOOR).min()) for part in every) / 1.6))
    most = max(float(part["high"].fillna(part["value"]).max()) for part in every) * 1.15
    scale = alt.Scale(type="log", domain=[least, most], nice=False, clamp=True)
    x = alt.X(
        "accuracy:Q",
        scale=alt.Scale(zero=False, nice=True, padding=42),
        axis=alt.Axis(title="test accuracy", format=".0%", tickCount=6),
    )
    y = alt.Y(
        "value:Q", scale=scale, axis=alt.Axis(title="members found at 1% false alarms", format=".2~%", tickCount=6)
    )
    drawn = series(styles, list(dict.fromkeys(frame["series"])), legend)
    order = alt.Order("place:Q")
    spots = alt.Chart(rows(frame.assign(place=range(len(frame)))))
    marks: list[alt.Chart] = [_guessing(scale)]
    if lines is not None:
        for place, (_, part) in enumerate(lines.groupby("control", sort=False)):
            curve = alt.Chart(rows(part.assign(place=range(len(part)))))
            dash = [[1, 0], [5, 3]][place % 2]
            marks.append(
                curve.mark_line(color=INK, strokeWidth=1.2, strokeDash=dash, opacity=0.6).encode(x=x, y=y, order=order)
            )
            marks.append(curve.mark_point(color=INK, size=14, filled=True, opacity=0.6).encode(x=x, y=y))
    marks += [
        spots.mark_line(strokeWidth=1, opacity=0.45).encode(x=x, y=y, color=drawn["color"], order=order),
        spots.mark_rule(strokeWidth=1.2, opacity=0.5).encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=drawn["color"]
        ),
        spots.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, **drawn),
        _text(frame, x, y, dx=-6, align="right", color=drawn["color"]),
        alt.Chart(rows(original)).mark_point(filled=True, size=90, color=INK, shape="cross").encode(x=x, y=y),
        alt.Chart(rows(original))
        .mark_rule(color=INK, opacity=0.5)
        .encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        _text(original.assign(label="original"), x, y, dy=-12, align="right"),
    ]
    return layered(marks, WIDTH, HEIGHT, title)


def _text(frame: pd.DataFrame, x: Any, y: Any, *, color: Any = None, **style: Any) -> alt.Chart:
    shown = frame.dropna(subset=["label"])
    plain: dict[str, Any] = {"color": INK} if color is None else {}
    coloured: dict[str, Any] = {} if color is None else {"color": color}
    text = alt.Chart(rows(shown)).mark_text(fontSize=FONT - 2, **plain, **style)
    made: alt.Chart = text.encode(x=x, y=y, text="label:N", **coloured)
    return made


def together(panels: Sequence[alt.LayerChart], columns: int) -> alt.ConcatChart:
    """Panels in rows of so many, each with colours and shapes of its own."""
    made: alt.ConcatChart = grid(panels, columns).resolve_scale(color="independent", shape="independent")
    return finished(made)


def _guessing(scale: alt.Scale) -> alt.Chart:
    """The line of an attacker who guesses."""
    line = alt.Chart(pd.DataFrame([{"value": GUESSING}])).mark_rule(strokeDash=[4, 3], color=INK, opacity=0.55)
    made: alt.Chart = line.encode(y=alt.Y("value:Q", scale=scale))
    return made
