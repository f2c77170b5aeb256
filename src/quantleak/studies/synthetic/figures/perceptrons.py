"""Ours: on a perceptron, what agrees with the strongest attack, and at which N."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import DASHES, FONT, INK, finished, layered
from quantleak.studies.synthetic.figures.large_n import APART, HEIGHT, WIDTH, apart, lines_by_size, sizes_axis
from quantleak.studies.synthetic.findings import Findings
from quantleak.studies.synthetic.jobs import Synthetic, Tables

NAMES = {
    "r_q": "r_Q",
    "cramer": "Cramér rate",
    "fidelity": "fidelity",
    "elements": "distinct models",
    "true_negatives": "true negatives of LOSS",
}
LOW, HIGH = -1.0, 1.0


def perceptrons(study: Synthetic, tables: Tables, findings: Findings) -> Figure | None:
    """The figure; None where perceptrons were left out."""
    if not findings.perceptron:
        return None
    agreement = findings.perceptron["agreement"]
    frame = pd.concat([_mean(agreement).assign(part="agreement"), _resolution(tables)], ignore_index=True)
    followed = min(study.perceptron_followed, study.perceptron_models)
    return Figure(
        name="perceptrons",
        title="Does r_Q rank the quantizers of a perceptron?",
        caption=(
            f"Fleets of {study.perceptron_models} perceptrons with {study.perceptron_hidden} hidden units, on the "
            f"{len(study.of_perceptrons)} distributions with {study.of_perceptrons[0].modes} modes. Left: Spearman's "
            "correlation with the strongest attack's MIS over the eight quantizers, the mean over distributions, bars "
            f"from the lowest to the highest; r_Q and the Cramér rate are means over {followed} models and depend on "
            "N, the others do not. A score that is equal for all quantizers counts as 0. Right: the resolution z of "
            "r_Q by quantizer, medians over models and distributions; below 2, the dashed line, the best quantized "
            "model cannot be distinguished from its closest competitor."
        ),
        frame=frame,
        chart=finished(_drawn(frame)),
    )


def _mean(agreement: pd.DataFrame) -> pd.DataFrame:
    grouped = agreement.groupby(["score", "n_validation"], dropna=False, sort=False)["spearman"]
    return grouped.agg(spearman="mean", spearman_low="min", spearman_high="max").reset_index()


def _resolution(tables: Tables) -> pd.DataFrame:
    grouped = tables.perceptron["rates"].groupby(["quantizer", "n_validation"], sort=False)
    return grouped[["r_q", "z"]].median().reset_index().assign(part="median over models")


def _drawn(frame: pd.DataFrame) -> alt.HConcatChart:
    medians = frame[frame["part"] == "median over models"]
    made: alt.HConcatChart = alt.hconcat(
        _agreement(frame[frame["part"] == "agreement"]),
        lines_by_size(medians, "z", "z (log)", "Resolution z of r_Q"),
        spacing=130,
    )
    return made


def _agreement(frame: pd.DataFrame) -> alt.LayerChart:
    by_size = frame[frame["n_validation"].notna()]
    x, scale = sizes_axis(by_size), alt.Scale(domain=[LOW, HIGH], nice=False)
    axis = alt.Axis(title="Spearman with the strongest attack", tickCount=8, format=".1f")
    y = alt.Y("spearman:Q", scale=scale, axis=axis)
    marks: list[alt.Chart] = [
        alt.Chart(pd.DataFrame([{"y": 0.0}])).mark_rule(color=INK, opacity=0.4).encode(y=alt.Y("y:Q", scale=scale))
    ]
    ends = []
    for place, name in enumerate(NAMES):
        one = frame[frame["score"] == name]
        base = alt.Chart(rows(one))
        if one["n_validation"].notna().any():
            low = alt.Y("spearman_low:Q", scale=scale)
            marks += [
                base.mark_rule(color=INK, opacity=0.35).encode(x=x, y=low, y2="spearman_high:Q"),
                base.mark_line(color=INK, strokeWidth=1.7, strokeDash=DASHES[place]).encode(x=x, y=y),
                base.mark_point(color=INK, filled=True, size=40, opacity=1).encode(x=x, y=y),
            ]
            one = one[one["n_validation"] == one["n_validation"].max()]
        else:
            marks.append(base.mark_rule(color=INK, strokeDash=[2, 3], opacity=0.8).encode(y=y))
        ends.append((float(one["spearman"].iloc[0]), NAMES[name]))
    return layered([*marks, _names(sorted(ends, reverse=True))], WIDTH, HEIGHT, "Agreement with the attack")


def _names(ends: list[tuple[float, str]]) -> alt.Chart:
    wanted = [(HIGH - value) / (HIGH - LOW) * HEIGHT for value, _ in ends]
    words = [{"y": y, "text": text} for y, (_, text) in zip(apart(wanted, APART), ends, strict=True)]
    text = alt.Chart(pd.DataFrame(words)).mark_text(align="left", baseline="middle", fontSize=FONT, color=INK)
    made: alt.Chart = text.encode(x=alt.value(WIDTH + 7), y=alt.Y("y:Q", scale=None, axis=None), text="text:N")
    return made
