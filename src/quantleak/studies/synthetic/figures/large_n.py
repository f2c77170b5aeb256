"""Ours: r_Q and its resolution as the validation set grows."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.ranking import spearman
from quantleak.studies.common.style import DASHES, FONT, INK, family, finished, layered, short
from quantleak.studies.synthetic.findings import SMALLEST, Findings
from quantleak.studies.synthetic.jobs import CELL, Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED

RESOLVED = 2.0
WIDTH, HEIGHT = 250.0, 260.0
APART = 12.0
"""Pixels between the names at the ends of lines."""

SHARES = {"": 0.5, "_low": 0.25, "_high": 0.75}


def large_n(study: Synthetic, tables: Tables, findings: Findings) -> Figure | None:
    """The figure; None where r_Q was not followed."""
    if tables.large.empty:
        return None
    frame = pd.concat([_medians(tables.large), _agreement(tables.large, findings)], ignore_index=True)
    sizes = sorted(int(size) for size in frame["n_validation"].unique())
    return Figure(
        name="large_n",
        title="What does a larger validation set change?",
        caption=(
            f"Left and middle: r_Q and its resolution z, the number of standard errors between the best element and "
            f"its closest competitor, for validation sets of N = {sizes[0]:,} to {sizes[-1]:,}, the smaller inside the "
            f"larger; medians over {study.large_models} models of every distribution (the table has the quartiles). "
            f"Below z = {RESOLVED:g}, the dashed line, the two cannot be distinguished. Right: Spearman's correlation "
            "of the mean r_Q of these few models with the strongest attack, mean, lowest and highest over "
            "distributions, not to be compared with that of all models. The paper does not say which N it uses."
        ),
        frame=frame,
        chart=finished(_drawn(frame)),
    )


def _medians(large: pd.DataFrame) -> pd.DataFrame:
    grouped = large.groupby(["quantizer", "n_validation"], sort=False)
    parts = [
        grouped[column].quantile(share).rename(f"{column}{end}")
        for column in ("r_q", "z")
        for end, share in SHARES.items()
    ]
    return pd.concat(parts, axis=1).reset_index().assign(part="median over models")


def _agreement(large: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    best = findings.mis[findings.mis["attack"] == "strongest"]
    mis = best.pivot(index=CELL, columns="quantizer", values="mis")[list(QUANTIZED)]
    found = []
    for size, at in large.groupby("n_validation"):
        rate = at.groupby([*CELL, "quantizer"])["r_q"].mean().unstack().loc[mis.index, list(QUANTIZED)]
        each = spearman(rate.to_numpy(), mis.to_numpy())
        ends = {"spearman": np.mean(each), "spearman_low": np.min(each), "spearman_high": np.max(each)}
        found.append({"part": "agreement", "n_validation": size, **ends})
    return pd.DataFrame(found)


def _drawn(frame: pd.DataFrame) -> alt.HConcatChart:
    medians = frame[frame["part"] == "median over models"]
    made: alt.HConcatChart = alt.hconcat(
        lines_by_size(medians, "r_q", "r_Q, nats (log)", "r_Q"),
        lines_by_size(medians, "z", "z (log)", "Resolution z"),
        _correlation(frame[frame["part"] == "agreement"]),
        spacing=46,
    )
    return made


def sizes_axis(frame: pd.DataFrame) -> alt.X:
    """The axis of N."""
    sizes = sorted(int(size) for size in frame["n_validation"].unique())
    axis = alt.Axis(title="N, validation examples (log)", values=sizes, format="~s", labelOverlap=True)
    scale = alt.Scale(type="log", domain=[sizes[0], max(sizes[-1], sizes[0] + 1)], nice=False)
    return alt.X("n_validation:Q", scale=scale, axis=axis)


def lines_by_size(medians: pd.DataFrame, column: str, title: str, heading: str) -> alt.LayerChart:
    """A line per quantizer over N, of the columns `quantizer`, `n_validation` and `column`; of z with its level."""
    drawn = medians[["quantizer", "n_validation"]].assign(value=medians[column].clip(lower=SMALLEST))
    low, high = float(drawn["value"].min()), float(drawn["value"].max())
    if column == "z":
        low, high = min(low, RESOLVED), max(high, RESOLVED)
    scale = alt.Scale(type="log", domain=[low / 1.15, high * 1.15], nice=False)
    x, y = sizes_axis(medians), alt.Y("value:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, format="~g"))
    marks = [mark for spec in QUANTIZED for mark in _line(drawn[drawn["quantizer"] == spec], spec, x, y)]
    if column == "z":
        level = alt.Chart(pd.DataFrame([{"y": RESOLVED}])).mark_rule(strokeDash=[3, 3], color=INK, opacity=0.7)
        marks.append(level.encode(y=alt.Y("y:Q", scale=scale)))
    return layered([*marks, _names(drawn, (low / 1.15, high * 1.15))], WIDTH, HEIGHT, heading)


def _line(drawn: pd.DataFrame, spec: str, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    look = family(spec)
    place = [other for other in QUANTIZED if family(other) == look].index(spec)
    base = alt.Chart(rows(drawn))
    return [
        base.mark_line(color=look.colour, strokeWidth=1.8, strokeDash=DASHES[place]).encode(x=x, y=y),
        base.mark_point(color=look.colour, shape=look.shape, filled=True, size=32, opacity=1).encode(x=x, y=y),
    ]


def _names(drawn: pd.DataFrame, domain: tuple[float, float]) -> alt.Chart:
    """Names right of the ends of the lines, moved apart where they would touch."""
    last = drawn[drawn["n_validation"] == drawn["n_validation"].max()].sort_values("value", ascending=False)
    low, high = np.log(domain)
    wanted = [float((high - np.log(value)) / (high - low) * HEIGHT) for value in last["value"]]
    words = [{"y": y, "text": short(str(s))} for y, s in zip(apart(wanted), last["quantizer"], strict=True)]
    text = alt.Chart(pd.DataFrame(words)).mark_text(align="left", baseline="middle", fontSize=FONT, color=INK)
    made: alt.Chart = text.encode(x=alt.value(WIDTH + 7), y=alt.Y("y:Q", scale=None, axis=None), text="text:N")
    return made


def apart(wanted: list[float], least: float = APART) -> list[float]:
    """Ascending places moved as little as keeps them `least` apart, each group about its own middle.

    Example:
        >>> apart([0.0, 1.0, 50.0], 10.0)
        [-4.5, 5.5, 50.0]
    """
    groups: list[list[float]] = []
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and _top(groups[-1], least) - _bottom(groups[-2], least) < least:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_top(group, least) + least * k for group in groups for k in range(len(group))]


def _top(group: list[float], least: float) -> float:
    return sum(group) / len(group) - least * (len(group) - 1) / 2


def _bottom(group: list[float], least: float) -> float:
    return _top(group, least) + least * (len(group) - 1)


def _correlation(frame: pd.DataFrame) -> alt.LayerChart:
    base, x = alt.Chart(rows(frame)), sizes_axis(frame)
    scale = alt.Scale(domain=[min(0.0, float(frame["spearman_low"].min())), 1.0], nice=False)
    y = alt.Y(
        "spearman:Q", scale=scale, axis=alt.Axis(title="Spearman with the strongest attack", tickCount=6, format=".1f")
    )
    marks = [
        base.mark_rule(color=INK, opacity=0.5, strokeWidth=1.2).encode(
            x=x, y=alt.Y("spearman_low:Q", scale=scale), y2="spearman_high:Q"
        ),
        base.mark_line(color=INK, strokeWidth=1.6).encode(x=x, y=y),
        base.mark_point(color=INK, filled=True, size=45, opacity=1).encode(x=x, y=y),
    ]
    return layered(marks, WIDTH - 40, HEIGHT, "Agreement with the attack")
