"""Membership signals of one model on labelled examples: what the attacks read. Larger = more likely a member.

Three families, never mixed up: `phi` (log odds of the true label) feeds LiRA; `log_probability` (ln p of the true
label) feeds RMIA; the regression signals stand in for both. The LOSS attack ranks by either. All are float64, in nats.

Source: [Carlini2022] N. Carlini et al., *Membership Inference Attacks From First Principles*, arXiv 2112.03570.
"""

from __future__ import annotations

import numpy as np

from quantleak.arrays import plain
from quantleak.errors import InputError

RESIDUAL_OFFSET = 0.001


def phi(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    r"""Log odds of the true label, $\phi = \ln p_y - \ln(1 - p_y) = z_y - \ln\sum_{j \ne y} e^{z_j}$.

    The last form never forms $p$: it is finite wherever the logits are, and keeps its digits at $\pm 10^4$.
    Source: [Carlini2022], section IV-C.

    Args:
        logits: $z$, shape [..., classes], any float type; at least two classes.
        labels: $y$, integer class codes that broadcast to [...].

    Returns:
        phi, shape [...], float64, nats.

    Raises:
        InputError: If there are fewer than two classes, or a label is not one of them.

    Example:
        >>> phi(np.array([[2.0, 0.0], [0.0, 1e4]]), np.array([0, 0])).tolist()
        [2.0, -10000.0]
    """
    logits = plain(logits, "logits").astype(np.float64)
    classes = logits.shape[-1]
    if classes < 2:
        raise InputError(f"phi needs logits of at least 2 classes, got {classes}; for one logit use phi_binary.")
    labels = np.broadcast_to(plain(labels, "labels"), logits.shape[:-1])[..., None]
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise InputError(f"labels must be 0 to {classes - 1}, got {labels.min()} to {labels.max()}.")
    true_logit = np.take_along_axis(logits, labels, axis=-1)
    np.put_along_axis(logits, labels, -np.inf, axis=-1)
    largest = logits.max(axis=-1, keepdims=True)
    rest = largest + np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))
    return np.asarray((true_logit - rest)[..., 0])


def phi_binary(logit: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """`phi` of a classifier with one logit z of class 1: phi = (2y - 1) z.

    Args:
        logit: z, shape [...].
        labels: y, 0 or 1, broadcast to [...].

    Returns:
        phi, shape [...], float64, nats.

    Example:
        >>> phi_binary(np.array([1.5, 1.5]), np.array([1, 0])).tolist()
        [1.5, -1.5]
    """
    return np.asarray((2.0 * plain(labels, "labels") - 1.0) * plain(logit, "logit").astype(np.float64))


def log_probability(phi: np.ndarray) -> np.ndarray:
    """Log probability of the true label from its log odds: ln p = -softplus(-phi), the negative cross-entropy.

    Args:
        phi: Log odds, any shape, nats.

    Returns:
        ln p <= 0, the same shape, float64, nats; accurate for phi of either sign and any size.

    Example:
        >>> log_probability(np.array([0.0, -1e4])).round(6).tolist()
        [-0.693147, -10000.0]
    """
    return np.asarray(-np.logaddexp(0.0, -plain(phi, "phi").astype(np.float64)))


def residual_phi(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """LiRA's signal for regression, -ln(|f - y| + 0.001) with y standardised to unit variance.

    Args:
        prediction: f, shape [...], in units of the standardised target.
        target: y, broadcast to [...], standardised.

    Returns:
        The signal, shape [...], float64, at most ln 1000 = 6.9.
    """
    return np.asarray(-np.log(np.abs(np.asarray(prediction, dtype=np.float64) - target) + RESIDUAL_OFFSET))


def negative_squared_error(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Minus the squared error, -(f - y)^2, float64, in squared units of y; -|f - y| ranks alike, without underflow."""
    return np.asarray(-np.square(np.asarray(prediction, dtype=np.float64) - target))


def log_density(prediction: np.ndarray, target: np.ndarray, variance: float) -> np.ndarray:
    """RMIA's ln p(true label) for regression: ln N(y; f, v) = -((f - y)^2 / v + ln(2 pi v)) / 2.

    Args:
        prediction: f, shape [...].
        target: y, broadcast to [...].
        variance: v, by convention the mean squared error of reference models on the population; squared units of y.

    Returns:
        ln density, shape [...], float64, nats.

    Raises:
        InputError: If `variance` is not a positive number.

    Example:
        >>> round(float(log_density(np.zeros(1), np.ones(1), 1.0)[0]), 4)
        -1.4189
    """
    if not 0 < variance < np.inf:
        raise InputError(f"variance must be a positive number, got {variance}; use the references' mean squared error.")
    return np.asarray(0.5 * (negative_squared_error(prediction, target) / variance - np.log(2 * np.pi * variance)))
