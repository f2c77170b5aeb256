"""Figure 1 of paper B: privacy against accuracy for every method and width, under its attacker and under ours."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.vision.figures.drawing import BY_METHOD, FLOAT_SHADOWS, NAMES, QUANTIZED_SHADOWS, plane, together
from quantleak.studies.vision.figures.selections import leakage, original, panel_title
from quantleak.studies.vision.findings import METRIC, Findings
from quantleak.studies.vision.jobs import ADAPTIVE, NEAREST, ONLINE, STRONGEST, TRANSFER, WIDTH

NEAREST_NAME = NAMES[NEAREST]
BELOW = 0.1
"""How far below the least accurate network of the other methods rounding to nearest is still drawn."""

PANELS = (
    ("LiRA with " + FLOAT_SHADOWS, ONLINE, TRANSFER),
    ("LiRA with " + QUANTIZED_SHADOWS, ONLINE, ADAPTIVE),
    ("the strongest attack in any mode", STRONGEST, "any"),
)


def against_accuracy(findings: Findings) -> Figure | None:
    """The figure; None where the examples support no rate of 1%."""
    frame = pd.concat(
        [
            leakage(findings, mode, [WIDTH], attack).assign(attacker=title, series=lambda f: f["method"].map(NAMES))
            for title, attack, mode in PANELS
        ],
        ignore_index=True,
    ).dropna(subset=["value"])
    if frame.empty:
        return None
    frame["label"] = frame["width"]
    others = frame[frame["series"] != NEAREST_NAME]["accuracy"]
    far = others.min() - BELOW if len(others) else 0.0
    whole = [
        original(findings, data, attack).assign(attacker=title)
        for data in findings.measured
        for title, attack, _ in PANELS
    ]
    return Figure(
        name="fig1",
        title="Figure 1. Privacy against accuracy",
        caption=(
            "Each point is a method at a width (4 bits, 2 bits, ternary): to the right the test accuracy, up the "
            "share of members that an attack finds where it is wrong on 1% of the non-members; the dashed line is "
            "guessing, the cross the original. Left: the paper's attacker, whose shadow models are not quantized. "
            "Middle: the same attack with shadows quantized like the target. Right: the strongest of all attacks and "
            "modes, chosen on other targets than those shown. Bars are 95% intervals over targets and examples. "
            "Networks that rounding to nearest leaves far less accurate than all others are in the table only."
        ),
        frame=pd.concat([*whole, frame.drop(columns=["series", "label"])], ignore_index=True).assign(metric=METRIC),
        chart=_drawn(findings, frame[frame["accuracy"] >= far]),
    )


def _drawn(findings: Findings, frame: pd.DataFrame) -> alt.ConcatChart:
    panels = [
        plane(
            frame[(frame["data"] == data) & (frame["attacker"] == title)],
            panel_title(findings, data, title),
            BY_METHOD,
            original(findings, data, attack),
        )
        for data in findings.measured
        for title, attack, _ in PANELS
        if ((frame["data"] == data) & (frame["attacker"] == title)).any()
    ]
    return together(panels, 3)
