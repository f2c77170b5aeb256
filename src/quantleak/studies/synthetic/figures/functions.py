"""Figure 5: what the quantizers do to a weight."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import torch

from quantleak.quantizers import quantizer
from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import INK, family, finished, grid, layered, short
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED

HALF = 201
"""Weights on each side of 0; odd, so that sizes, which come in pairs, split nearest to the shares of zeros."""

WIDTH, HEIGHT = 165.0, 165.0
END = 1.6
"""Of the upright axis; two bits take a weight of 1 to 1.5."""


def functions() -> Figure:
    """The figure."""
    weight = torch.arange(-HALF, HALF + 1, dtype=torch.float64) / HALF
    values = {spec: quantizer(spec)(weight).numpy() for spec in QUANTIZED}
    frame = pd.concat(
        [pd.DataFrame({"quantizer": spec, "weight": weight.numpy(), "value": value}) for spec, value in values.items()],
        ignore_index=True,
    )
    steps = pd.concat([_steps(spec, weight.numpy(), value) for spec, value in values.items()], ignore_index=True)
    return Figure(
        name="fig5",
        title="Figure 5. What each quantizer does to a weight",
        caption=(
            f"Value after quantization against value before, for {len(weight)} equally spaced weights from -1 to 1 "
            "quantized together: the share of zeros of a ternary quantizer is a share of these, and the scale of b "
            "bits is 1. The thin line leaves the weight as it is. A dot is a value that a single weight takes: 0 has "
            "no sign, and b bits have one level more, beyond 1, for weights at the very end of the scale, as the "
            "paper writes its rule. The paper shows the same functions."
        ),
        frame=frame,
        chart=finished(_panels(steps)),
        shown=_levels(values),
    )


def _steps(spec: str, weight: np.ndarray, value: np.ndarray) -> pd.DataFrame:
    """One row for each run of weights that become the same value."""
    starts = np.flatnonzero(np.diff(value, prepend=np.nan) != 0)
    ends = np.append(starts[1:], len(value)) - 1
    return pd.DataFrame({"quantizer": spec, "left": weight[starts], "right": weight[ends], "value": value[starts]})


def _levels(values: dict[str, np.ndarray]) -> pd.DataFrame:
    """For the page: how many values each quantizer uses."""
    return pd.DataFrame(
        [
            {
                "quantizer": spec,
                "values used": len(np.unique(value)),
                "smallest size": float(np.abs(value).min()),
                "share of zeros": float((value == 0).mean()),
            }
            for spec, value in values.items()
        ]
    )


def _panels(steps: pd.DataFrame) -> alt.ConcatChart:
    made = [_panel(steps[steps["quantizer"] == spec], spec, place) for place, spec in enumerate(QUANTIZED)]
    return grid(made, 4)


def _panel(steps: pd.DataFrame, spec: str, place: int) -> alt.LayerChart:
    ticks = [-1, -0.5, 0, 0.5, 1]
    before = alt.Axis(title="weight" if place >= 4 else None, values=ticks, format="~g")
    after = alt.Axis(title="quantized weight" if place % 4 == 0 else None, values=ticks, format="~g")
    same = alt.Chart(pd.DataFrame([{"left": -1, "right": 1, "value": -1, "end": 1}]))
    x, y = (
        alt.X("left:Q", scale=alt.Scale(domain=[-1.1, 1.1], nice=False), axis=before),
        alt.Y("value:Q", scale=alt.Scale(domain=[-END, END], nice=False), axis=after),
    )
    base, colour = alt.Chart(rows(steps)), family(spec).colour
    marks = [
        same.mark_rule(color=INK, opacity=0.35, strokeWidth=1).encode(x=x, x2="right:Q", y=y, y2="end:Q"),
        base.transform_filter("datum.left < datum.right")
        .mark_rule(color=colour, strokeWidth=2.2)
        .encode(x=x, x2="right:Q", y=y),
        base.transform_filter("datum.left == datum.right")
        .mark_point(color=colour, filled=True, size=16, opacity=1)
        .encode(x=x, y=y),
    ]
    return layered(marks, WIDTH, HEIGHT, alt.Title(short(spec)))
