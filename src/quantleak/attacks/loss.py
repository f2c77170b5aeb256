"""The LOSS attack: a model's own signal on an example, with no shadow model at all.

Source: [Yeom2018] S. Yeom et al., *Privacy Risk in Machine Learning*, arXiv 1709.01604.
"""

from __future__ import annotations

import numpy as np

from quantleak.attacks.shadows import finite


def loss_attack(target: np.ndarray) -> np.ndarray:
    """Score = -loss = ln p(true label) of the attacked model; larger = member. Ranks like a threshold on the loss.

    Args:
        target: Negative per-example loss of one or more models, [N] or [T, N], nats (regression: -(f - y)^2).

    Returns:
        The same values, float64.

    Raises:
        InputError: If a value is NaN or infinite.

    Example:
        >>> loss_attack(np.array([-0.1, -2.3])).tolist()
        [-0.1, -2.3]
    """
    return finite(target, "target")
