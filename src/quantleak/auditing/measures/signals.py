"""What is read of the outputs of many models: signals for the attacks, the statistic of the utility, fidelity."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from torch import Tensor

from quantleak.attacks import phi, phi_binary
from quantleak.theory import fidelity
from quantleak.theory.fidelity import FEWEST

SUM_TOLERANCE = 1e-3
"""How far from 1 the sum of probabilities may be rounded."""


def are_probabilities(outputs: Float[Tensor, "models examples outputs"], task: str) -> bool:
    """Whether outputs all lie in [0, 1] and, for multiclass, each row sums to 1; outputs that are all 0 do not count.

    An untrained model's logits pass only by a rare chance, for their sign is as random as its weights'.
    """
    inside = task != "regression" and bool(((outputs >= 0) & (outputs <= 1)).all() and outputs.any())
    return inside and (task == "binary" or bool(((outputs.sum(-1) - 1).abs() < SUM_TOLERANCE).all()))


def signal(
    outputs: Float[np.ndarray, "models examples outputs"], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models examples"]:
    """What all attacks are computed from, `[models, examples]` float64: log odds of the true label, or the residual."""
    if task == "regression":
        return np.asarray(outputs[..., 0].astype(np.float64) - targets)
    return phi(outputs, targets) if task == "multiclass" else phi_binary(outputs[..., 0], targets)


def utility_statistic(
    outputs: Float[np.ndarray, "models examples outputs"], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models examples"]:
    """What the utility is computed from, float64: the logit (binary), right or wrong (multiclass), the prediction."""
    if task == "multiclass":
        return np.asarray(outputs.argmax(-1) == targets, dtype=np.float64)
    return np.asarray(outputs[..., 0], dtype=np.float64)


def logits_read(
    outputs: Float[np.ndarray, "models examples outputs"], targets: Num[np.ndarray, " examples"], task: str
) -> Float[np.ndarray, "models examples"]:
    """What fidelity is computed from: the logit or prediction, of several outputs the one of the example's label."""
    return np.asarray(outputs[..., 0] if task != "multiclass" else outputs[:, np.arange(len(targets)), targets])


def fidelities(read: list[Float[np.ndarray, "models examples"]]) -> Float[np.ndarray, "models quantizers"]:
    """Fidelity of every model under every quantizer, the first of which is the original; NaN where it has none."""
    if read[0].shape[1] < FEWEST:
        return np.full((len(read[0]), len(read)), np.nan)
    return np.stack([fidelity(each, read[0]).numpy() for each in read], axis=1)
