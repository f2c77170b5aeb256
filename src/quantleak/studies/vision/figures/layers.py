"""Leakage against the layer that stays at full precision, all others ternary by rounding to nearest."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.style import INK
from quantleak.studies.vision.figures.drawing import ATTACKER, BY_ATTACKER, listed, together
from quantleak.studies.vision.figures.selections import leakage, panel_title
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import HEAD_ALONE, LAYER, NEAREST, ONLINE, TERNARY, WIDTH

ACCURACY = {"accuracy": (INK, "circle")}
METRIC = "auc"


def layers(findings: Findings) -> Figure | None:
    """The figure; None where the part was left out."""
    found = []
    for mode, attacker in ATTACKER.items():
        rows = leakage(findings, mode, [WIDTH, LAYER, HEAD_ALONE], ONLINE, METRIC)
        nearest = (rows["method"] == NEAREST) & (rows["width"] == TERNARY)
        found.append(rows[nearest].assign(series=attacker))
    frame = pd.concat(found, ignore_index=True).dropna(subset=["value"])
    if not (frame["part"] == LAYER).any():
        return None
    frame["name"] = [_name(part, head) for part, head in zip(frame["part"], frame["head"], strict=True)]
    frame = frame.sort_values("part", key=lambda parts: parts.map({WIDTH: 0, LAYER: 1, HEAD_ALONE: 2}), kind="stable")
    panels: list[alt.LayerChart] = []
    for data in findings.measured:
        one = frame[frame["data"] == data]
        once = one[one["series"] == one["series"].iloc[0]]
        accuracy = once[["name", "accuracy", "accuracy_low", "accuracy_high"]].assign(series="accuracy")
        accuracy = accuracy.rename(columns={"accuracy": "value", "accuracy_low": "low", "accuracy_high": "high"})
        panels += [
            listed(one, panel_title(findings, data, "AUC of online LiRA"), "AUC", BY_ATTACKER, percent=False, line=0.5),
            listed(accuracy, "Test accuracy", "accuracy", ACCURACY, named=False),
        ]
    return Figure(
        name="layers",
        title="Leakage against the layer that stays at full precision",
        caption=(
            "All weights are ternary by rounding to nearest, but for one layer at a time, which stays as it was "
            "trained; the first row is the whole network ternary, the last the reverse: the head alone is ternary. "
            "Left the AUC of online LiRA with float and with quantized shadows, the dashed line is guessing; right the "
            "test accuracy. Bars are 95% intervals."
        ),
        frame=frame.drop(columns=["series"]).assign(attacker=frame["series"], metric=METRIC),
        chart=together(panels, 2),
    )


def _name(part: str, layer: str) -> str:
    if part == WIDTH:
        return "all ternary"
    return f"only {layer} ternary" if part == HEAD_ALONE else f"{layer} stays float"
