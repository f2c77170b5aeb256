"""Ours: r_Q on the networks of paper B, beside free scores, and how they rank round-to-nearest."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.report.names import listed as listed_in_words
from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import FONT, INK, layered
from quantleak.studies.vision.figures.drawing import HEIGHT, LINE, WIDTH, listed, together, width_name
from quantleak.studies.vision.figures.selections import panel_title
from quantleak.studies.vision.findings import Findings

SCORES = {
    "r_q": "r_Q",
    "cramer": "Cramér rate",
    "fidelity": "minus fidelity",
    "elements": "minus distinct models",
    "true_negatives": "minus true negatives of LOSS",
}
ONE = {"score": (INK, "circle")}


def scores(findings: Findings) -> Figure:
    """The figure."""
    agreement = findings.agreement.rename(columns={"spearman": "value"})
    agreement = agreement.assign(name=agreement["score"].map(SCORES), series="score").dropna(subset=["value"])
    looks = -(-findings.study.epochs // findings.study.evaluate_every)
    examples = listed_in_words([f"{len(one.plan.parts.validation):,}" for one in findings.measured.values()])
    panels: list[alt.LayerChart] = []
    for data in findings.measured:
        table = findings.scores[findings.scores["data"] == data]
        panels += [
            _against(table, panel_title(findings, data, "r_Q against security")),
            listed(
                agreement[agreement["data"] == data],
                "Agreement with the strongest attack",
                "Spearman",
                ONE,
                percent=False,
                line=0.0,
            ),
        ]
    return Figure(
        name="scores",
        title="Does r_Q rank round-to-nearest at different precisions as the strongest attack does?",
        caption=(
            "r_Q by Algorithm 1 of paper A along the training trajectories of the same networks, quantized to the "
            f"nearest value of the grids of this study at {looks} epochs of each training, on {examples} validation "
            "examples; where “z” in the table is below 2, the examples are too few to resolve it. Left: r_Q (larger "
            "should mean more private) against the Membership Inference Security (“mis”) that the strongest attack "
            "with quantized shadows leaves, 1 being perfect. Right: Spearman's correlation of every score with that "
            "security over these quantizers; bars are 95% intervals over models. The number of distinct quantized "
            "models (“elements”) is left out where it is the same for all."
        ),
        frame=pd.concat([findings.scores, findings.agreement], ignore_index=True),
        chart=together(panels, 2),
        shown=findings.scores.drop(columns=["quantizer"]),
    )


def _against(table: pd.DataFrame, title: str) -> alt.LayerChart:
    heads = ["" if head == "body" else f", head {head}" for head in table["head"]]
    names = [width_name(width) + head for width, head in zip(table["width"], heads, strict=True)]
    drawn = table.assign(name=names)
    drawn = drawn[(drawn["r_q"] > 0) & (drawn["r_q"] < float("inf"))]
    base = alt.Chart(rows(drawn))
    x = alt.X("r_q:Q", scale=alt.Scale(type="log", nice=True), axis=alt.Axis(title="mean r_Q (log)", format=".0e"))
    y = alt.Y("mis:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title="MIS left by the strongest attack"))
    marks = [
        base.mark_rule(color=INK, opacity=0.5).encode(
            x=x, y=alt.Y("mis_low:Q", scale=alt.Scale(zero=False)), y2="mis_high:Q"
        ),
        base.mark_point(filled=True, color=INK, size=48, opacity=1).encode(x=x, y=y),
        base.mark_text(dy=-10, fontSize=FONT - 1, color=INK).encode(x=x, y=y, text="name:N"),
    ]
    return layered(marks, WIDTH, HEIGHT - 3 * LINE, title)
