"""The LOSS attack: a model's own signal on an example, with no shadow model at all.

Source: [Yeom2018] S. Yeom et al., *Privacy Risk in Machine Learning*, arXiv 1709.01604.
"""

from __future__ import annotations

import numpy as np

from quantleak.attacks.shadows import finite


def loss_attack(target: np.ndarray) -> np.ndarray:
    """Score = the signal itself, any rising function of minus the loss; larger = member.

    Ranks like a threshold on the loss, but ties fewer: phi ranks as ln p of the true label does and stays apart where
    ln p is 0 to the last bit; -|f - y| ranks as -(f - y)^2 does and does not underflow.

    Args:
        target: Such a signal of one or more models, [N] or [T, N]: phi, in nats, or -|f - y| for regression.

    Returns:
        The same values, float64.

    Raises:
        InputError: If a value is NaN or infinite.

    Example:
        >>> loss_attack(np.array([-0.1, -2.3])).tolist()
        [-0.1, -2.3]
    """
    return finite(target, "target")
