"""Data processing: whoever holds the full-precision model can quantize it, and attack what comes out.

A quantizer that reads no training data cannot reveal more than the model it was made from; it may read other examples.
So the attacker of the original may quantize first: the strongest attack on the original is at least the strongest on
each such quantizer. Where a quantized model seemed to leak more than its original, the attack on the original was weak.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from quantleak.auditing.attacks import AttackOutput


def quantize_first(
    attacked: Mapping[str, AttackOutput], baseline: str, data_free: Collection[str]
) -> dict[str, AttackOutput]:
    """Let the attacker of the original choose among its own attacks and those on every data-free quantized version.

    The choice is made on the half of the targets that chooses each strongest attack, so that on the other half, which
    is reported, the largest of many noisy figures is not taken.

    Args:
        attacked: By quantizer, what its :class:`~quantleak.auditing.attacks.AttackJob` left.
        baseline: The spec of the original.
        data_free: Specs of the quantizers that read no training data; no others count.

    Returns:
        The same, the original's strongest attack and the tables about it exchanged where another is stronger; `via`
        names the quantizer, and the attack is listed among those on the original.
    """
    usable = [spec for spec in attacked if spec == baseline or spec in data_free]
    via = max(usable, key=lambda spec: (_strength(attacked[spec]), spec == baseline))
    if via == baseline:
        return dict(attacked)
    own, better = attacked[baseline], attacked[via]
    worst = replace(better.worst, via=via)
    listed = next(row for row in better.attacks if (row.name, row.mode) == (worst.name, worst.mode))
    changed = replace(
        better,
        attacks=[*own.attacks, replace(listed, via=via)],
        worst=worst,
        per_example=own.per_example,
        columns=own.columns,
        reporting=own.reporting,
    )
    return {**attacked, baseline: changed}


def _strength(output: AttackOutput) -> tuple[float, float]:
    """The headline on the half that chooses, then its AUC there."""
    return float(output.selection), output.selection_auc
