"""Points of eight quantizers in one panel, intervals both ways, each point with its name beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from quantleak.report.figures.labels import Anchor, Box, place
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import FONT, INK, by_family, family, layered, short

WIDTH, HEIGHT = 235.0, 190.0
LETTER = 0.56
"""Width of a letter in its size, on average."""

ENDS = ("", "_low", "_high")
MOST_TICKS = 4
LABELS = 28.0
"""Kept for the labels of an axis, so that panels stand in line."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of a panel.

    Attributes:
        column: Of the frame; its interval is in `<column>_low` and `<column>_high`.
        title: What stands beside it.
        domain: Its ends.
        log: Whether it is logarithmic.
        format: Of the labels.
    """

    column: str
    title: str
    domain: tuple[float, float]
    log: bool = False
    format: str = ".2f"

    def share(self, value: float) -> float:
        """Where a value lies between the ends, from 0 to 1."""
        low, high, at = (math.log(v) if self.log else v for v in (*self.domain, value))
        return (at - low) / (high - low)

    def altair(self, titled: bool) -> dict[str, Any]:
        """Scale and axis of a channel."""
        scale = alt.Scale(type="log" if self.log else "linear", domain=list(self.domain), nice=False, zero=False)
        ticks: dict[str, Any] = {"values": self._powers()} if self.log else {"tickCount": MOST_TICKS}
        axis = alt.Axis(title=self.title if titled else None, format=self.format, minExtent=LABELS, **ticks)
        return {"scale": scale, "axis": axis}

    def _powers(self) -> list[float]:
        """Powers of ten between the ends, with halves of them where one is alone."""
        low, high = self.domain
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
            if len(found) > 2:
                break
        return found


def span(frame: pd.DataFrame, column: str, log: bool = False) -> tuple[float, float]:
    """Ends of an axis that holds all points and intervals, with some air around them."""
    values = frame[[column + end for end in ENDS]].to_numpy()
    low, high = float(values.min()), float(values.max())
    if log:
        air = max((high / low) ** 0.09, 1.05)
        return low / air, high * air
    margin = 0.09 * (high - low) or 0.01 * max(abs(high), 1.0)
    return low - margin, high + margin


def panel(frame: pd.DataFrame, x: Axis, y: Axis, title: alt.Title, titled: tuple[bool, bool]) -> alt.LayerChart:
    """One panel; `frame` has one row per quantizer, `titled` says which axes carry their titles."""
    named = frame.assign(family=[family(str(spec)).name for spec in frame["quantizer"]])
    base = alt.Chart(rows(named))
    across = alt.X(f"{x.column}:Q", **x.altair(titled[0]))
    up = alt.Y(f"{y.column}:Q", **y.altair(titled[1]))
    colour = by_family()
    bars: dict[str, Any] = {"strokeWidth": 1.2, "opacity": 0.55}
    marks = [
        base.mark_rule(**bars).encode(
            x=alt.X(f"{x.column}_low:Q", **x.altair(titled[0])), x2=f"{x.column}_high:Q", y=up, color=colour["color"]
        ),
        base.mark_rule(**bars).encode(
            x=across,
            y=alt.Y(f"{y.column}_low:Q", **y.altair(titled[1])),
            y2=f"{y.column}_high:Q",
            color=colour["color"],
        ),
        base.mark_point(filled=True, size=48, opacity=1).encode(x=across, y=up, **colour),
        *_names(frame, x, y),
    ]
    return layered(marks, WIDTH, HEIGHT, title)


def _names(frame: pd.DataFrame, x: Axis, y: Axis) -> list[alt.Chart]:
    """The names of all points, off each other and off the bars, led to where they are far."""
    spots = frame.to_dict("records")
    texts = [short(str(spot["quantizer"])) for spot in spots]
    anchors = [
        Anchor(
            x=_right(x, spot[x.column]), y=_down(y, spot[y.column]), width=LETTER * FONT * len(text) + 2, height=FONT
        )
        for spot, text in zip(spots, texts, strict=True)
    ]
    area = Box(left=1.0, top=1.0, right=WIDTH - 1, bottom=HEIGHT - 1)
    placed = place(anchors, [bar for spot in spots for bar in _bars(spot, x, y)], area)
    words, leaders = [], []
    for anchor, found, text in zip(anchors, placed, texts, strict=True):
        box = found.box
        words.append({"x": (box.left + box.right) / 2, "y": (box.top + box.bottom) / 2, "text": text})
        if found.led:
            end_x, end_y = box.nearest(anchor.x, anchor.y)
            leaders.append({"x": anchor.x, "y": anchor.y, "x2": end_x, "y2": end_y})
    style: dict[str, Any] = {"fontSize": FONT, "align": "center", "baseline": "middle", "color": INK}
    pixels = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    text_marks = alt.Chart(pd.DataFrame(words)).mark_text(**style).encode(**pixels, text="text:N")
    if not leaders:
        return [text_marks]
    lines = alt.Chart(pd.DataFrame(leaders)).mark_rule(strokeWidth=0.7, color=INK, opacity=0.5)
    return [lines.encode(**pixels, x2="x2:Q", y2="y2:Q"), text_marks]


def _right(axis: Axis, value: float) -> float:
    return axis.share(value) * WIDTH


def _down(axis: Axis, value: float) -> float:
    return (1 - axis.share(value)) * HEIGHT


def _bars(spot: dict[Any, Any], x: Axis, y: Axis) -> Iterable[Box]:
    """The interval bars of a point, as thin rectangles."""
    right, down = _right(x, spot[x.column]), _down(y, spot[y.column])
    left, end = (_right(x, spot[x.column + side]) for side in ENDS[1:])
    bottom, top = (_down(y, spot[y.column + side]) for side in ENDS[1:])
    return (
        Box(left=left, right=end, top=down - 1.5, bottom=down + 1.5),
        Box(left=right - 1.5, right=right + 1.5, top=top, bottom=bottom),
    )
