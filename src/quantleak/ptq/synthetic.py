"""Calibration inputs that belong to nobody: noise with the mean and the covariance of given examples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from quantleak.errors import InputError


def synthetic_like(
    examples: Float[np.ndarray, "examples ..."], count: int, random: np.random.Generator
) -> Float[np.ndarray, "count ..."]:
    r"""Draw Gaussian examples with the mean and the covariance of others, which they cannot be traced back to.

    Images `[channels, height, width]` are drawn from a stationary Gaussian field: in every frequency the channels have
    the mean cross-spectrum of the examples less their mean image, so that neighbouring pixels and colours vary
    together as they do there. Vectors have the full covariance.

    .. math:: x = \mu + \mathcal{F}^{-1}(L_f \, \mathcal{F} w), \qquad L_f L_f^* = \frac{1}{n} \sum_i z_{if} z_{if}^*,
        \quad z_i = \mathcal{F}(x_i - \mu) / \sqrt{H W}

    with white noise w. Only these statistics are read of the examples.

    Args:
        examples: `[n, channels, height, width]` or `[n, p]` float32, at least two.
        count: How many to draw.
        random: Where the noise comes from.

    Returns:
        float32 `[count, ...]`.

    Raises:
        InputError: Fewer than two examples, or of another number of dimensions.
    """
    require_statistics(examples)
    mean = examples.mean(axis=0, dtype=np.float64)
    drawn = random.standard_normal((count, *examples.shape[1:]))
    if examples.ndim == 2:
        covariance = np.atleast_2d(np.cov(examples, rowvar=False, ddof=0))
        return np.asarray(mean + drawn @ _root(covariance).conj().T, dtype=np.float32)
    spectra = np.zeros((*examples.shape[2:], examples.shape[1], examples.shape[1]), dtype=np.complex128)
    for part in np.array_split(examples, max(1, len(examples) // _ROWS)):
        z = np.fft.fft2(part - mean, norm="ortho").transpose(2, 3, 1, 0)
        spectra += z @ z.conj().swapaxes(-1, -2)
    white = np.fft.fft2(drawn).transpose(2, 3, 1, 0)
    coloured = (_root(spectra / len(examples)) @ white).transpose(3, 2, 0, 1)
    return np.asarray(mean + np.fft.ifft2(coloured).real, dtype=np.float32)


def require_statistics(examples: Float[np.ndarray, "examples ..."]) -> None:
    """Refuse examples of which :func:`synthetic_like` has no statistics.

    Raises:
        InputError: Fewer than two examples, or of another number of dimensions.
    """
    if len(examples) < 2 or examples.ndim not in (2, 4):
        raise InputError(
            f"Synthetic calibration examples need the statistics of 2 or more images or vectors, got {examples.shape}."
        )


_ROWS = 256  # examples transformed at a time


def _root(matrices: np.ndarray) -> np.ndarray:
    """The Hermitian square roots of positive semidefinite matrices `[..., p, p]`."""
    values, vectors = np.linalg.eigh(matrices)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.conj().swapaxes(-1, -2))
