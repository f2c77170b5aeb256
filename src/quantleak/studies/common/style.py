"""How the figures look: a shape, a colour and a short name for every quantizer, and quiet axes.

Three of Okabe and Ito's colours distinguish the families of quantizers, and so do shapes; members of a family are told
apart by their names, never by colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import altair as alt

from quantleak.quantizers import BASELINE
from quantleak.report.figures import colours

FONT = 11.0
BLUE, ORANGE, GREEN, INK = colours.QUANTIZER, colours.ORIGINAL, colours.CHOSEN, colours.INK

Drawing = TypeVar("Drawing", alt.LayerChart, alt.ConcatChart, alt.HConcatChart, alt.VConcatChart)


@dataclass(frozen=True, kw_only=True)
class Family:
    """How the quantizers of one kind are drawn."""

    name: str
    colour: str
    shape: str


FAMILIES = {
    "sign": Family(name="sign", colour=GREEN, shape="triangle-up"),
    "ternary": Family(name="ternary, share of zeros", colour=BLUE, shape="square"),
    "uniform": Family(name="uniform, bits", colour=ORANGE, shape="circle"),
    BASELINE: Family(name="not quantized", colour=INK, shape="diamond"),
}
WIDE_LETTER = 0.56
"""Width of a letter in its size, in fonts that are wider than the one that the drawing was made with."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
"""Of lines that would otherwise look alike."""


def family(spec: str) -> Family:
    """The family of a spec."""
    return FAMILIES[spec.partition(":")[0]]


def short(spec: str) -> str:
    """A spec as the paper's tables head their columns.

    Example:
        >>> [short(spec) for spec in ("sign", "ternary:0.33", "uniform:5", "identity")]
        ['sign', '33%', '5 b', 'original']
    """
    name, _, value = spec.partition(":")
    if name == "ternary":
        return f"{100 * float(value):.3g}%"
    return f"{value} b" if name == "uniform" else {BASELINE: "original"}.get(name, name)


def cell_name(modes: int, sigma: float) -> str:
    """A distribution as the title of a panel.

    Example:
        >>> cell_name(8, 2.0)
        'σ = 2, 8 modes'
    """
    return f"σ = {sigma:g}, {modes} modes"


def room_for(names: Sequence[str]) -> float:
    """Pixels that the longest of some names needs beside an axis."""
    return WIDE_LETTER * FONT * max(map(len, names))


def by_family() -> dict[str, Any]:
    """Colour and shape of marks whose data have a `family`; the legend is written in words above the drawing."""
    names = [one.name for one in FAMILIES.values()]
    colour = alt.Scale(domain=names, range=[one.colour for one in FAMILIES.values()])
    shape = alt.Scale(domain=names, range=[one.shape for one in FAMILIES.values()])
    return {
        "color": alt.Color("family:N", scale=colour, legend=None),
        "shape": alt.Shape("family:N", scale=shape, legend=None),
    }


def finished(chart: Drawing) -> Drawing:
    """A drawing with quiet axes, black on nothing."""
    made: Drawing = chart.copy(deep=False)
    # Set in one go: every method of Altair that changes a chart copies all of it.
    made.config, made.background = _config(), "transparent"
    return made


def _config() -> alt.Config:
    inks: dict[str, Any] = {f"{part}Color": INK for part in ("domain", "tick", "grid", "label", "title")}
    faint: dict[str, Any] = {
        "domainOpacity": 0.35,
        "tickOpacity": 0.35,
        "gridOpacity": 0.09,
        "labelOpacity": 0.8,
        "titleOpacity": 0.9,
    }
    fonts: dict[str, Any] = {"labelFontSize": FONT - 1, "titleFontSize": FONT, "titleFontWeight": "normal"}
    labels: dict[str, Any] = {"labelPadding": 3, "labelLimit": 300, "labelFlush": False, "tickSize": 4}
    return alt.Config(
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(**inks, **faint, **fonts, **labels),
        title=alt.TitleConfig(
            color=INK,
            fontSize=FONT,
            fontWeight="bold",
            offset=6,
            anchor="start",
            subtitleColor=INK,
            subtitleFontSize=FONT,
        ),
        legend=alt.LegendConfig(
            labelColor=INK,
            labelFontSize=FONT,
            labelLimit=400,
            orient="bottom",
            symbolSize=70,
            symbolOpacity=1,
            columnPadding=30,
        ),
    )


def layered(marks: Sequence[Any], width: Any, height: Any, title: str | alt.Title | None = None) -> alt.LayerChart:
    """Marks on one another, as one panel."""
    named: dict[str, Any] = {} if title is None else {"title": title}
    return alt.LayerChart(layer=list(marks), width=width, height=height, **named)


def grid(panels: Sequence[alt.LayerChart | alt.Chart], columns: int) -> alt.ConcatChart:
    """Panels in rows of so many."""
    made: alt.ConcatChart = alt.concat(*panels, columns=columns, spacing=20)
    return made
