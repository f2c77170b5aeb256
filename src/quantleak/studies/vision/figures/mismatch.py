"""Ours: the same models under float and under quantized shadows, and the difference with its interval."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.style import INK
from quantleak.studies.vision.figures.drawing import (
    ANY_ATTACK,
    BY_ATTACKER,
    FLOAT_SHADOWS,
    QUANTIZED_SHADOWS,
    listed,
    together,
)
from quantleak.studies.vision.figures.selections import leakage, named, panel_title
from quantleak.studies.vision.findings import METRIC, POOLED, Findings
from quantleak.studies.vision.jobs import ADAPTIVE, HEAD, ONLINE, STRONGEST, TRANSFER, WIDTH

DIFFERENCE = {"difference": (INK, "circle")}


def mismatch(findings: Findings) -> Figure | None:
    """The figure; None where the examples support no rate of 1%."""
    shown = findings.gaps[findings.gaps["part"].isin([WIDTH, HEAD])]
    gaps = shown[(shown["attack"] == ONLINE) & (shown["metric"] == METRIC) & (shown["method"] != POOLED)]
    if gaps.empty:
        return None
    modes = pd.concat(
        [
            leakage(findings, mode, [WIDTH, HEAD], attack).assign(series=series)
            for mode, attack, series in (
                (TRANSFER, ONLINE, FLOAT_SHADOWS),
                (ADAPTIVE, ONLINE, QUANTIZED_SHADOWS),
                ("any", STRONGEST, ANY_ATTACK),
            )
        ],
        ignore_index=True,
    ).dropna(subset=["value"])
    modes["name"] = named(modes, head=True)
    panels: list[alt.LayerChart] = []
    for data in findings.measured:
        one = modes[modes["data"] == data]
        order = {name: place for place, name in enumerate(dict.fromkeys(one["name"]))}
        difference = gaps[gaps["data"] == data].assign(name=lambda f: named(f, head=True), series="difference")
        difference = difference.rename(
            columns={"difference": "value", "difference_low": "low", "difference_high": "high"}
        ).sort_values("name", key=lambda names: names.map(order))
        title = panel_title(findings, data, "Members found at 1% false alarms")
        panels += [
            listed(one, title, "members found", BY_ATTACKER, line=0.01),
            listed(
                difference, "Quantized less float shadows", "difference in points", DIFFERENCE, line=0.0, named=False
            ),
        ]
    return Figure(
        name="mismatch",
        title="What the attacker gains by quantizing the shadows too",
        caption=(
            "Left: the share of members found at 1% false alarms by online LiRA with float shadows, as in the paper, "
            "with shadows quantized like the target, and by the strongest attack in any mode (on those targets that "
            "did not choose it). Right: quantized less float shadows, paired by target and example. Where the "
            "difference is above 0, that much of the apparent privacy is the attacker's mismatch; where it is below, "
            "float shadows are the better ones. In the table, “share” is the difference as a share of the drop that "
            "float shadows see from the original: 1 means that all of it is mismatch. It is given only where the "
            "drop is certain. The table also has the AUC, LiRA under the paper's conventions (lira-published), and "
            "the strongest attack with either kind of shadows."
        ),
        frame=pd.concat([findings.gaps, modes.drop(columns=["name"])], ignore_index=True),
        chart=together(panels, 2),
        shown=shown.drop(columns=["part", "quantizer", "reason", "drop", "drop_low", "drop_high"]),
    )
