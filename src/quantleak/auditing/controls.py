"""What else could explain a quantizer's figures: mere noise, and its calibration set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quantleak.attacks import Crossed
from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.measures.equal_utility import Point, at_equal_utility
from quantleak.auditing.plan import Plan
from quantleak.ptq import Noise
from quantleak.results import CalibrationLeakage, Estimate, NoiseComparison


@dataclass(frozen=True, kw_only=True, eq=False)
class Controls:
    """What controls need beside the outputs of all attacks.

    Attributes:
        baseline: What the attacks on the full-precision models as they are left.
        held_out: By quantizer that held-out examples calibrate, what the attack on which these are left.
    """

    baseline: AttackOutput
    held_out: Mapping[str, AttackOutput]


def noise_comparison(
    plan: Plan, spec: str, utility: Mapping[str, Crossed], attacked: Mapping[str, AttackOutput], controls: Controls
) -> NoiseComparison | None:
    """A quantizer against noise on the weights at equal utility; None if the audit has no noise as large as its error.

    Args:
        plan: Of the audit.
        spec: The quantizer.
        utility: Of every procedure.
        attacked: What its attacks left.
        controls: Noise of size 0 is the original as it is, whatever an attacker might make of it first.
    """
    noise = {name: one for name, one in plan.procedures.items() if isinstance(one, Noise) and one.quantizer == spec}
    if not noise:
        return None
    points = [Point(factor=0.0, utility=utility[plan.baseline], leakage=controls.baseline.leakage)]
    points += [
        Point(factor=one.factor, utility=utility[name], leakage=attacked[name].leakage) for name, one in noise.items()
    ]
    return at_equal_utility(utility[spec], attacked[spec].leakage, points, plan.settings.level)


def calibration_leakage(plan: Plan, output: AttackOutput, spec: str, controls: Controls) -> CalibrationLeakage | None:
    """Leakage of the examples on which a quantizer was calibrated; None if it reads none.

    Args:
        plan: Of the audit.
        output: What the attacks on its models left.
        spec: The quantizer.
        controls: The attack on held-out calibration examples among them.
    """
    source, examples = plan.calibration.read.get(spec, ("", 0))
    if examples < 2:
        return None
    held_out = controls.held_out.get(spec)
    return CalibrationLeakage(
        source=source,
        examples=examples,
        **output.calibrated,
        held_out_auc=Estimate(value=None, reason="nothing is held out") if held_out is None else held_out.worst.auc,
        attack=None if held_out is None else f"{held_out.worst.name}, {held_out.worst.mode}",
    )
