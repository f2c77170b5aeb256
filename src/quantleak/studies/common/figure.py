"""A figure of the study: its data, its drawing, and every form in which it is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from quantleak.report.figures.colours import PAPER
from quantleak.report.figures.svg import themed

DIGITS = 6
"""Significant digits in files; what lies beyond differs between machines."""

PIXELS = 2.0
"""Of a PNG, for each of the drawing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """One figure or table.

    Attributes:
        name: Of its files: `fig2`.
        title: Such as `Figure 2. Does r_Q rank ...`.
        caption: What it shows and what the paper's shows, in plain words.
        frame: All that is drawn, tidy.
        chart: The drawing, black on nothing: a page gives it its own colours.
        shown: What a page shows of a long `frame`; None for all of it.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    chart: alt.typing.ChartType
    shown: pd.DataFrame | None = None

    @property
    def csv(self) -> str:
        """The frame."""
        return str(self.frame.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n"))

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification, its data inside."""
        # What is drawn below is checked by being drawn; Altair's own check takes longer than that.
        found: dict[str, Any] = _rounded(self.chart.to_dict(validate=False))
        return found

    @cached_property
    def svg(self) -> str:
        """An element of a page, in the page's colours."""
        return themed(self._drawing, f"{self.title} The table below has the numbers.")

    @cached_property
    def png(self) -> bytes:
        """On white."""
        opened = self._drawing.index(">") + 1
        paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
        return bytes(vl_convert.svg_to_png(self._drawing[:opened] + paper + self._drawing[opened:], scale=PIXELS))

    @cached_property
    def _drawing(self) -> str:
        return str(vl_convert.vegalite_to_svg(self.spec))


def rows(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as the data of a drawing: without its index and what it does not fill, texts as plain objects.

    Altair copies lists of values at every step, frames never.
    """
    plain = frame.reset_index(drop=True).dropna(axis="columns", how="all")
    return plain.astype({name: object for name in plain.columns if not pd.api.types.is_numeric_dtype(plain[name])})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
