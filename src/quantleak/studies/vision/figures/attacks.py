"""Every attack in every mode on the originals and on low-bit networks: the tables of the study."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.studies.common import Figure
from quantleak.studies.common.style import BLUE, GREEN, INK, ORANGE
from quantleak.studies.vision.figures.drawing import listed, together
from quantleak.studies.vision.figures.selections import KEYS, named, panel_title
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import ADAPTIVE, NONE, RECALIBRATED, STRONGEST, TRANSFER, WIDTH

STYLES = {
    "no shadows": (INK, "diamond"),
    "float shadows": (ORANGE, "square"),
    "recalibrated": (GREEN, "triangle-up"),
    "quantized shadows": (BLUE, "circle"),
}
MODES = {NONE: "no shadows", TRANSFER: "float shadows", RECALIBRATED: "recalibrated", ADAPTIVE: "quantized shadows"}
DRAWN = "obq"
"""The method that is drawn; the table has all of them."""


def attacks(findings: Findings) -> Figure:
    """The figure."""
    every = findings.attacks[(findings.attacks["attack"] != STRONGEST) & (findings.attacks["metric"] == "auc")]
    panels: list[alt.LayerChart] = []
    for data in findings.measured:
        rows = every[(every["data"] == data) & (every["part"] == WIDTH) & (every["method"] == DRAWN)]
        for width in findings.study.widths[-2:]:
            one = rows[rows["width"] == width]
            title = panel_title(findings, data, f"AUC on {named(one)[0]}")
            one = one.assign(name=one["attack"], series=one["mode"].map(MODES))
            panels.append(listed(one, title, "AUC", STYLES, percent=False, line=0.5, named=len(panels) % 2 == 0))
    return Figure(
        name="attacks",
        title="Every attack in every mode",
        caption=(
            "The AUC of each attack on OBQ's networks, by the shadows it has: none, float ones, float ones onto which "
            "the target's scores are mapped first (recalibrated), quantized ones. The table has accuracy, AUC and the "
            "share of members found at 0.1% and at 1% false alarms for every method and width: the mean over all "
            "targets and its 95% interval; the file also has the standard deviation over targets (“spread”) and every "
            "other attack. A rate that the number of non-members cannot support is left out."
        ),
        frame=findings.attacks,
        chart=together(panels, 2),
        shown=_shown(findings),
    )


def _shown(findings: Findings) -> pd.DataFrame:
    """Of online LiRA in both modes and of the strongest attack, one row each for the originals and every width."""
    keys = [*KEYS, "attack", "mode"]
    every = findings.attacks
    wanted = [("lira-online", TRANSFER), ("lira-online", ADAPTIVE), (STRONGEST, "any")]
    chosen = np.array([pair in wanted for pair in zip(every["attack"], every["mode"], strict=True)])
    kept = every[every["part"].isin([BASELINE, WIDTH]) & chosen]
    parts = []
    for metric in ("auc", "tpr@0.001", "tpr@0.01"):
        one = kept[kept["metric"] == metric].set_index(keys)[["value", "low", "high", "spread"]]
        parts.append(one.set_axis([metric, f"{metric}_low", f"{metric}_high", f"{metric} spread"], axis=1))
    table = pd.concat(parts, axis=1).reset_index()
    accuracy = findings.utility[[*KEYS, "accuracy", "accuracy_low", "accuracy_high"]]
    table = accuracy.merge(table, on=KEYS, how="right").dropna(axis="columns", how="all")
    return table.drop(columns=["part", "quantizer", "head"])
