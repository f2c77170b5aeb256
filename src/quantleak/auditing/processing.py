"""Data processing: whoever holds the original model can quantize it, and attack what comes out.

A quantizer that needs no data cannot reveal more than the model it was made from. So the attacker of the original may
quantize first: the strongest attack on the original is at least the strongest on each such quantizer. Where a quantized
model seemed to leak more than its original, the attack on the original was weak.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from quantleak.auditing.attacks import WORST

Attacked = Mapping[str, tuple[Mapping[str, np.ndarray], Any]]


def quantize_first(
    attacked: Attacked, baseline: str, data_free: Collection[str]
) -> dict[str, tuple[Mapping[str, np.ndarray], Any]]:
    """Let the attacker of the original choose among its own attacks and those on every data-free quantized version.

    The choice is made on the half of the targets that chooses each strongest attack, so that on the other half, which
    is reported, the largest of many noisy figures is not taken.

    Args:
        attacked: By quantizer, what its :class:`~quantleak.auditing.attacks.AttackJob` left.
        baseline: The spec of the original.
        data_free: Specs of the quantizers that read no data; no others count.

    Returns:
        The same, the original's strongest attack and the tables about it exchanged where another is stronger; `via`
        names the quantizer, and the attack is listed among those on the original.
    """
    usable = [spec for spec in attacked if spec == baseline or spec in data_free]
    via = max(usable, key=lambda spec: (_strength(attacked[spec][1]), spec == baseline))
    if via == baseline:
        return dict(attacked)
    arrays, meta = attacked[baseline]
    better, found = attacked[via]
    own = {name: values for name, values in arrays.items() if not name.startswith((WORST, "@"))}
    lent = {name: values for name, values in better.items() if name.startswith((WORST, "@"))}
    worst = found["worst"] | {"via": via}
    same = ("name", "mode")
    listed = next(row for row in found["attacks"] if all(row[key] == worst[key] for key in same))
    changed = {**meta, "worst": worst, "attacks": [*meta["attacks"], {**listed, "via": via}]}
    return {**attacked, baseline: (own | lent, changed)}


def _strength(meta: Any) -> tuple[float, float]:
    """The headline on the half that chooses, then its AUC there."""
    selection = meta["worst"]["selection"]
    return selection["value"], selection["auc"]
