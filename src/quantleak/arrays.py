"""Numbers as the caller has them, in any container and any layout, as one plain NumPy array."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantleak.errors import InputError


def plain(given: object, name: str) -> NDArray[Any]:
    """A C-contiguous, writeable array of real numbers in native byte order, of the same values.

    Takes tensors of any device and dtype (also with gradients), arrays of any strides, byte order and subclass, and
    nested lists. Booleans and whole numbers stay what they are, float32 and float64 too; narrower floats become
    float32, wider ones float64. Shares memory with `given` where nothing has to change.

    Args:
        given: What the caller gave.
        name: What the caller calls it, for messages.

    Raises:
        InputError: If an entry is masked, or these are no real numbers in the shape of an array.

    Example:
        >>> plain(np.arange(3, dtype=">f8")[::-1], "losses")
        array([2., 1., 0.])
    """
    array = _array(given, name)
    if array.dtype.kind == "O" and all(isinstance(value, numbers.Real) for value in array.flat):
        array = _from_fractions(array, name)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must be real numbers, got an array of {array.dtype}; convert it to float64.")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = _standard(array, name)
    return np.require(array, dtype=array.dtype.newbyteorder("="), requirements=("C", "W", "E"))


def _array(given: object, name: str) -> NDArray[Any]:
    if hasattr(given, "detach"):
        return _from_tensor(given, name)
    if isinstance(given, list | tuple) and any(hasattr(part, "__array__") for part in given):
        given = [part if np.ndim(part) == 0 and not hasattr(part, "detach") else _array(part, name) for part in given]
    if np.ma.isMaskedArray(given) and np.ma.is_masked(given):
        raise InputError(f"{name} has {np.ma.count_masked(given)} masked entries; fill them in or leave them out.")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} must be an array of numbers, its rows equally long: {error}") from error
    return array


def _from_tensor(tensor: Any, name: str) -> NDArray[Any]:
    values = tensor.detach().cpu()
    if values.is_complex():
        raise InputError(f"{name} must be real numbers, got a tensor of {values.dtype}; take what is real of it.")
    values = values.dequantize() if values.is_quantized else values.to_dense()
    # NumPy has no bfloat16 and no 8-bit floats, and every narrow float is one of float32.
    narrow = values.is_floating_point() and values.element_size() < 4
    return np.asarray((values.float() if narrow else values).numpy())


def _from_fractions(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Fractions, and whole numbers that no dtype of NumPy holds, each rounded to float64."""
    try:
        return values.astype(np.float64)
    except OverflowError as error:
        raise InputError(f"{name} has numbers beyond float64; divide all by a constant first.") from error


def _standard(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.dtype.itemsize < 4:
        return array.astype(np.float32)
    with np.errstate(over="ignore"):
        narrowed = array.astype(np.float64)
    if (np.isinf(narrowed) & np.isfinite(array)).any():
        raise InputError(f"{name} has values beyond float64 in {array.dtype}; divide all by a constant first.")
    return narrowed
