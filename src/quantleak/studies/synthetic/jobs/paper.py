"""What paper A reports of this study.

Source: [Aubinais2025]_ Aubinais, Formont, Piantanida, Gassiat: Membership Inference Risks in Quantized Models: A
Theoretical and Empirical Study, arXiv 2502.06567.
"""

from __future__ import annotations

from quantleak.quantizers import PAPER_A

_TABLE_2 = {
    6: (0.822, 0.876, 0.892, 0.890, 0.894, 0.928, 0.941, 0.945, 0.950),
    8: (0.760, 0.811, 0.833, 0.833, 0.831, 0.869, 0.885, 0.892, 0.897),
    16: (0.681, 0.724, 0.737, 0.729, 0.741, 0.772, 0.787, 0.793, 0.798),
}

ACCURACY_AT_SIGMA_2 = {modes: dict(zip(PAPER_A, values, strict=True)) for modes, values in _TABLE_2.items()}
"""Table 2 at sigma = 2: mean test accuracy by number of modes and quantizer."""

SECONDS_A_TRAINING = 240
"""For one classifier on a 48 GB GPU, one second of it for r_Q."""

SECONDS_A_DISCRIMINATOR = 2400
"""On the same."""
