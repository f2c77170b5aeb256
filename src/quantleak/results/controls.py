"""Records of what else could explain a quantizer's figures: its calibration set, and mere noise."""

from __future__ import annotations

from dataclasses import dataclass, field

from quantleak.results.estimate import Estimate


@dataclass(frozen=True, kw_only=True)
class NoisePoint:
    """Noise of one size, means over models: `factor` times a quantizer's own error, its utility and its leakage."""

    factor: float
    utility: float
    leakage: float


@dataclass(frozen=True, kw_only=True)
class NoiseComparison(Estimate):
    """The leakage of a quantizer less that of noise on the weights at equal utility; below 0 it protects more.

    Attributes:
        factor: Size of that noise in units of the quantizer's own error, interpolated; 0 is the original.
        noise: Leakage of that noise.
        curve: Noise of all sizes that were measured, the original (0) among them.
    """

    factor: float | None
    noise: Estimate
    curve: list[NoisePoint] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CalibrationLeakage:
    """Leakage of the examples on which a quantizer was calibrated.

    Shares are of those that the strongest attack calls members, with the threshold of the headline.

    Attributes:
        source: Where they come from: `members`, `held-out`, `public` or `synthetic`.
        examples: How many each model was calibrated on, at most; of `held-out` on average.
        found: Of `members`: share of the members used for calibration; none of the other sources are in the pool.
        others: Share of the other members.
        alarms: Share of the non-members.
        difference: `found` less `others`.
        auc: Chance that a member used for calibration has a larger score of that attack than another member.
        held_out_auc: Of `held-out`: AUC of the strongest attack that tells examples on which a model was calibrated
            from examples on which it was not, none of which any model was trained on.
        attack: That attack and its mode.
    """

    source: str
    examples: int
    found: Estimate
    others: Estimate
    alarms: Estimate
    difference: Estimate
    auc: Estimate
    held_out_auc: Estimate
    attack: str | None = None
