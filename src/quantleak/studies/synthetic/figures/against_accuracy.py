"""Figure 6: r_Q against the accuracy that a quantizer keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.studies.common import Figure
from quantleak.studies.common.ranking import Floats
from quantleak.studies.synthetic.figures.by_distribution import (
    FAMILIES_IN_WORDS,
    cells,
    estimates,
    labelled,
    panels,
    rate,
    wide,
)
from quantleak.studies.synthetic.jobs import Synthetic, Tables

KEPT = "relative_accuracy"


def against_accuracy(study: Synthetic, tables: Tables) -> Figure:
    """The figure."""
    parts = [
        labelled(d, rate(frame, study).join(estimates(KEPT, _relative(frame), study)))
        for d, frame in cells(study, tables)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return Figure(
        name="fig6",
        title="Figure 6. What privacy costs: r_Q against the accuracy kept",
        caption=(
            "Each point is a quantizer: across, its mean r_Q; up, the test accuracy of the quantized model as a share "
            "of its original's, the mean over models. Points that fall from left to right are a trade-off: more "
            "privacy for "
            "less accuracy. Bars are 95% intervals over models. The paper shows the same. " + FAMILIES_IN_WORDS
        ),
        frame=frame,
        chart=panels(study, frame, KEPT, "accuracy relative to the original"),
    )


def _relative(frame: pd.DataFrame) -> Floats:
    """`[models, 8]`."""
    original = frame[frame["quantizer"] == BASELINE].sort_values("model")["accuracy"].to_numpy()
    return np.asarray(wide(frame, "accuracy") / original[:, None])
