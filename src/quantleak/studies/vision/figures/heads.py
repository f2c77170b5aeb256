"""The last-layer ablation of paper B: a ternary body with heads of several precisions."""

from __future__ import annotations

import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.vision.figures.drawing import ATTACKER, BY_METHOD, NAMES, plane, together
from quantleak.studies.vision.figures.selections import leakage, original, panel_title
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import ADAPTIVE, HEAD, NEAREST, ONLINE, TERNARY, TRANSFER, WIDTH

ORDER = {"body": 0, "8": 1, "float": 2}
LABELS = {"body": "ternary", "8": "8 bits", "float": "float"}


def heads(findings: Findings) -> Figure | None:
    """The figure; None without ternary networks, or where the examples support no rate of 1%."""
    found = []
    for mode, attacker in ATTACKER.items():
        rows = leakage(findings, mode, [WIDTH, HEAD], ONLINE)
        found.append(rows[rows["width"] == TERNARY].assign(mode=mode, attacker=attacker))
    frame = pd.concat(found, ignore_index=True).dropna(subset=["value"])
    if (frame["method"] == NEAREST).all():
        return None
    frame = frame.sort_values(["method", "head"], key=lambda column: column.map(lambda v: ORDER.get(v, v)))
    methods = frame[frame["method"] != NEAREST]
    drawn = methods.assign(
        series=methods["method"].map(NAMES), label=methods["head"].map(lambda head: LABELS.get(head, f"{head} bits"))
    )
    panels = [
        plane(
            drawn[(drawn["data"] == data) & (drawn["mode"] == mode)],
            panel_title(findings, data, f"LiRA with {ATTACKER[mode]}"),
            BY_METHOD,
            original(findings, data),
        )
        for data in findings.measured
        for mode in (TRANSFER, ADAPTIVE)
    ]
    return Figure(
        name="heads",
        title="Does the precision of the last layer tune the trade-off?",
        caption=(
            "Networks with a ternary body whose last layer is ternary too, has 8 bits, or stays float: to the right "
            "the test accuracy, up the members found at 1% false alarms. The paper finds that this layer alone tunes "
            "the trade-off at 1.58 bits. Rounding to nearest is in the table only."
        ),
        frame=pd.concat([*(original(findings, data) for data in findings.measured), frame], ignore_index=True),
        chart=together(panels, 2),
    )
