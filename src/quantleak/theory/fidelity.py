"""How much of a model's outputs its quantized version keeps: a ranking of quantizers that needs one model."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from quantleak.arrays import plain
from quantleak.errors import InputError

FEWEST = 3
"""Examples. On two, any two models correlate perfectly."""


def fidelity(quantized: object, original: object) -> Tensor:
    r"""Correlation between the outputs of a quantized model and of the original on fresh examples.

    .. math:: F = \frac{\sum_i \bar f_i f_i}{\sqrt{\sum_i \bar f_i^2 \sum_i f_i^2}}

    with :math:`f_i` the original's output (logit) on example i and :math:`\bar f_i` the quantized model's, each less
    its mean over the examples. If quantization acts on the outputs as a scale and a noise that knows nothing of the
    training set, :math:`\bar f = a f + \epsilon`, then whatever sets members apart in f is seen through a channel of
    correlation F: in units of the spread of the outputs the members' shift is F times that of the original. The lower
    F, the weaker an attack that reads outputs. It ranks quantizers of one training procedure; it says nothing about the
    leakage of the original, and an attack that reads the weights is outside its argument.

    Args:
        quantized: Outputs `[..., examples]`, a tensor or an array; of a classifier with several outputs, the entry of
            each example's label.
        original: The same of the original model; leading axes broadcast.

    Returns:
        float64 `[...]` in [-1, 1]; NaN where the outputs of one are constant.

    Raises:
        InputError: If the numbers of examples differ or are less than 3, or outputs are not finite.

    Example:
        >>> round(float(fidelity([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])), 12)
        1.0
    """
    one, two = plain(quantized, "quantized"), plain(original, "original")
    if one.ndim == 0 or two.ndim == 0 or one.shape[-1] != two.shape[-1] or one.shape[-1] < FEWEST:
        raise InputError(
            f"fidelity needs outputs on the same examples, at least {FEWEST} (on two, any two models correlate "
            f"perfectly), got shapes {one.shape} and {two.shape}."
        )
    first, second = _standardised(one, "quantized"), _standardised(two, "original")
    return torch.from_numpy(np.asarray((first * second).sum(-1).clip(-1, 1)))


def _standardised(outputs: np.ndarray, name: str) -> np.ndarray:
    """Outputs less their mean, of length 1; NaN where they are constant."""
    if not np.isfinite(outputs).all():
        raise InputError(f"{name} has outputs that are NaN or infinite; leave out the model that has diverged.")
    # First to ordinary size, by a power of two; then less one of them, so that a large common part rounds nothing.
    values = _scaled(outputs.astype(np.float64))
    centred = _scaled(values - values[..., :1])
    centred = centred - centred.mean(-1, keepdims=True)
    length = np.sqrt((centred**2).sum(-1, keepdims=True))
    constant = (outputs == outputs[..., :1]).all(-1, keepdims=True)
    return np.asarray(np.divide(centred, length, out=np.full_like(centred, np.nan), where=~constant))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Each row times the power of two that brings its largest magnitude below 1/2."""
    return np.asarray(np.ldexp(values, -1 - np.frexp(np.abs(values).max(-1, keepdims=True))[1]))
