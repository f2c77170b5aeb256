"""Ours: members on which a quantizer was calibrated, apart from the others."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.vision.figures.drawing import ATTACKER, BY_ATTACKER, listed, together
from quantleak.studies.vision.figures.selections import named, panel_title
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import HEAD, WIDTH


def calibration(findings: Findings) -> Figure | None:
    """The figure; None where no method reads data."""
    every = findings.calibrated
    if every.empty or every["auc"].isna().all():
        return None
    frame = every[every["mode"].isin(ATTACKER) & every["part"].isin([WIDTH, HEAD])].reset_index(drop=True)
    frame = frame.assign(series=frame["mode"].map(ATTACKER), name=named(frame, head=True))
    drawn = frame.assign(value=frame["auc"], low=frame["auc_low"], high=frame["auc_high"]).dropna(subset=["value"])
    panels: list[alt.LayerChart] = [
        listed(
            drawn[drawn["data"] == data],
            panel_title(findings, data, "AUC between members used for calibration and other members"),
            "AUC",
            BY_ATTACKER,
            percent=False,
            line=0.5,
        )
        for data in findings.measured
    ]
    return Figure(
        name="calibration",
        title="Are the members used for calibration easier to find?",
        caption=(
            "Every method but rounding to nearest is calibrated on some of each model's own members, drawn at random. "
            "Above 0.5, the dashed line, online LiRA takes them for members more readily than the other members. The "
            "table has the shares found at 1% false alarms: “found” of the members used, “others” of the rest."
        ),
        frame=every,
        chart=together(panels, 2),
        shown=_shown(frame),
    )


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """The table of the page."""
    keys = ["data", "name", "mode"]
    columns = [c for c in frame.columns if c.partition("_")[0] in ("auc", "found", "others", "difference")]
    return frame[[*keys, *columns]].rename(columns={"name": "quantizer"})
