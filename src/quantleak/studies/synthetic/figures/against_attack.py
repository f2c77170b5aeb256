"""Figure 2: r_Q against the MIS that the strongest attack leaves."""

from __future__ import annotations

import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.synthetic.figures.by_distribution import FAMILIES_IN_WORDS, cells, labelled, panels, rate
from quantleak.studies.synthetic.findings import PAPER, Findings
from quantleak.studies.synthetic.jobs import CELL, Synthetic, Tables


def against_attack(study: Synthetic, tables: Tables, findings: Findings) -> Figure:
    """The figure."""
    best = findings.mis[findings.mis["attack"] == "strongest"].rename(columns={"low": "mis_low", "high": "mis_high"})
    best = best[[*CELL, "quantizer", "mis", "mis_low", "mis_high", "chosen"]]
    found = findings.agreement[findings.agreement["score"] == PAPER]
    found = found.rename(columns={"low": "spearman_low", "high": "spearman_high"})
    correlations = found[[*CELL, "spearman", "spearman_low", "spearman_high"]]
    rates = pd.concat([labelled(d, rate(frame, study)) for d, frame in cells(study, tables)], ignore_index=True)
    frame = rates.merge(best, on=[*CELL, "quantizer"]).merge(correlations, on=CELL)
    return Figure(
        name="fig2",
        title="Figure 2. Does r_Q rank the quantizers as the strongest attack does?",
        caption=(
            "Each point is a quantizer: across, its mean r_Q; up, the Membership Inference Security that the "
            "strongest attack leaves, 1 being perfect. If the two agreed, the points would climb from left to right. "
            "Bars are 95% intervals over models. Vertical axes differ between panels. The paper has the accuracy of "
            "its discriminator in place of the strongest attack, and reports correlations between 0.62 and 0.98, 0.86 "
            "on average. " + FAMILIES_IN_WORDS
        ),
        frame=frame,
        chart=panels(study, frame, "mis", "MIS left by the strongest attack"),
    )
