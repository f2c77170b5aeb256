"""Ours: a world in which quantization only maps the scores, so that everything lost is the attacker's mismatch."""

from __future__ import annotations

from quantleak.studies.common import Figure
from quantleak.studies.common.style import BLUE, GREEN, INK, ORANGE
from quantleak.studies.vision.figures.drawing import listed, together
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs.toy import BOTH, INVERTED, MAPPED, MATCHED, OFFSET, SCALE, SHIFT, SPREAD

STYLES = {
    MATCHED: (INK, "diamond"),
    MAPPED: (ORANGE, "square"),
    BOTH: (BLUE, "circle"),
    INVERTED: (GREEN, "triangle-up"),
}


def toy(findings: Findings) -> Figure:
    """The figure."""
    frame = findings.toy.rename(columns={"auc": "value", "attack": "name", "scores": "series"})
    frame = frame.assign(low=frame["value"], high=frame["value"])
    return Figure(
        name="toy",
        title="Why float shadows fail: scores that are only mapped",
        caption=(
            f"No networks: the scores of 64 shadows and one target on 20,000 examples are normal with means that "
            f"differ between examples (standard deviation {SPREAD:g}), {SHIFT:g} larger on members. Then the target's "
            f"scores s become {SCALE:g} s + {OFFSET:g}, which takes no information away. Shadows that are not mapped "
            "lose most of the signal all the same; mapping them too, or inverting the map on known non-members, "
            "brings all of it back."
        ),
        frame=findings.toy,
        chart=together([listed(frame, "AUC of LiRA", "AUC", STYLES, percent=False, line=0.5)], 1),
    )
