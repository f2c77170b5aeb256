"""Controls: is low-bit quantization more than a weaker model? Noise, early stopping and a smaller float network."""

from __future__ import annotations

import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.report.names import listed
from quantleak.studies.common import Figure
from quantleak.studies.common.style import INK
from quantleak.studies.vision.figures.drawing import BY_METHOD, NAMES, plane, together
from quantleak.studies.vision.figures.selections import leakage, original, panel_title
from quantleak.studies.vision.findings import LOW, NOISE_CONTROL, STOPPED, STOPPED_CONTROL, Findings
from quantleak.studies.vision.jobs import ADAPTIVE, NEAREST, NOISE, SMALLER, TERNARY, WIDTH
from quantleak.studies.vision.jobs.rows import NOISE_OF

SMALL = "small float network"
BELOW = 0.15
"""How far below the least accurate network the curves are drawn."""


def weaker(findings: Findings) -> Figure | None:
    """The figure; None without low-bit networks, or where the examples support no rate of 1%."""
    every = leakage(findings, ADAPTIVE, [BASELINE, WIDTH, NOISE, STOPPED, SMALLER]).dropna(subset=["value"])
    low = every[(every["part"] == WIDTH) & every["width"].isin(LOW) & (every["method"] != NEAREST)]
    if low.empty:
        return None
    low = low.assign(series=low["method"].map(NAMES), label=low["width"])
    small = every[every["part"] == SMALLER].assign(series=SMALL, label=SMALL)
    panels = []
    for data in findings.measured:
        points = pd.concat([part[part["data"] == data] for part in (low, small)], ignore_index=True)
        curves = pd.concat([_curve(every[every["data"] == data], control) for control in (NOISE, STOPPED)])
        panels.append(
            plane(
                points,
                panel_title(findings, data, "At equal accuracy"),
                {**BY_METHOD, SMALL: (INK, "triangle-down")},
                original(findings, data),
                lines=curves,
            )
        )
    sizes = [_sizes(findings, data) for data in findings.measured]
    return Figure(
        name="weaker",
        title="Is low-bit quantization more than a weaker model?",
        caption=(
            "Points are networks of 2 bits and ternary ones by the paper's methods: to the right their accuracy, "
            "up the members found at 1% false alarms by online LiRA with shadows made like the target. The solid "
            "line is noise on the weights of the originals, from the size of the error of OBQ's ternary networks "
            "down to an eighth and up to twice of it; the dashed line the originals as they were earlier in "
            "training; the triangle a float network ("
            f"{listed(sizes)}"
            "). A point below a line leaks less than that control at the same accuracy; the table has these "
            "differences with 95% intervals that also hold for what is uncertain of the accuracy."
        ),
        frame=pd.concat([every, findings.controls], ignore_index=True),
        chart=together(panels, 2),
        shown=findings.controls.drop(columns=["part", "quantizer"]),
    )


def _curve(every: pd.DataFrame, part: str) -> pd.DataFrame:
    """From the original on: noise growing, or training stopped earlier and earlier."""
    low = every[(every["part"] == WIDTH) & every["width"].isin(LOW) & (every["method"] != NEAREST)]
    rows: pd.DataFrame = every[every["part"].isin([BASELINE, part])]
    rows = rows[rows["accuracy"] > low["accuracy"].min() - BELOW]
    names = {NOISE: NOISE_CONTROL, STOPPED: STOPPED_CONTROL}
    ordered: pd.DataFrame = rows.sort_values("accuracy", ascending=False, kind="stable")
    return ordered.assign(control=names[part])


def _sizes(findings: Findings, data: str) -> str:
    """Kilobytes of the small float network and of a ternary one."""
    table = findings.utility[findings.utility["data"] == data].set_index("quantizer")["kilobytes"]
    one = findings.measured[data]
    row = one.find(WIDTH, NOISE_OF, TERNARY)
    beside = "" if row is None else f", a ternary one {table[row.spec]:.0f} kB"
    return panel_title(findings, data, f"{table[SMALLER]:.0f} kB{beside}")
