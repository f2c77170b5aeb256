"""Numbers as the caller has them, in any container and any layout, as one array of NumPy."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from quantleak.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def plain(given: object, name: str) -> NDArray[Any]:
    """An array of real numbers in native byte order, of the same values.

    Takes tensors of any device and dtype (also with gradients), arrays of any strides, byte order and subclass, and
    nested lists, of fractions too. Booleans, whole numbers, float32 and float64 stay what they are; narrower floats
    become float32, wider ones float64. Shares memory with `given` where nothing has to change.

    Args:
        given: What the caller gave.
        name: What the caller calls it, for messages.

    Raises:
        InputError: If an entry is masked, or these are no real numbers in the shape of an array.

    Example:
        >>> plain(np.arange(3, dtype=">f8")[::-1], "losses")
        array([2., 1., 0.])
    """
    array = unwrapped(given, name)
    if array.dtype.kind == "O" and all(isinstance(value, numbers.Real) for value in array.flat):
        array = _from_fractions(array, name)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must be real numbers, got an array of {array.dtype}; convert it to float64.")
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = _standard(array, name)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def packed(given: object, name: str) -> NDArray[Any]:
    """`plain`, writeable and row after row in memory, as `torch.from_numpy` takes it."""
    return np.require(plain(given, name), requirements=("C", "W"))


def read_only_tensor(array: NDArray[Any]) -> Tensor:
    """A tensor on the memory of an array that may be read-only; torch cannot forbid to write into it, so do not."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array)


def unwrapped(given: object, name: str) -> NDArray[Any]:
    """An array of any dtype, texts too, out of a tensor, a subclass of arrays or nested lists.

    Raises:
        InputError: If an entry is masked, a tensor is complex, or lists have no shape.
    """
    if hasattr(given, "detach"):
        return _from_tensor(given, name)
    if of_arrays(given):
        given = [
            part if np.ndim(part) == 0 and not hasattr(part, "detach") else unwrapped(part, name) for part in given
        ]
    masked = sum(part is np.ma.masked for part in given) if isinstance(given, list | tuple) else 0
    if masked or (np.ma.isMaskedArray(given) and np.ma.is_masked(given)):
        count = masked or np.ma.count_masked(given)
        raise InputError(f"{name} has {count} masked entries; fill them in or leave them out.")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} are not one array: {error}. Give each example the same shape.") from error
    return array


def of_arrays(given: object) -> TypeGuard[Sequence[Any]]:
    """Whether this is a list or tuple that holds arrays or tensors, each of which may need unwrapping."""
    return isinstance(given, list | tuple) and any(hasattr(part, "__array__") for part in given)


def _from_tensor(tensor: Any, name: str) -> NDArray[Any]:
    values = tensor.detach().cpu()
    if values.is_complex():
        raise InputError(f"{name} must be real numbers, got a tensor of {values.dtype}; take what is real of it.")
    values = values.dequantize() if values.is_quantized else values.to_dense().resolve_neg()
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


def mask(values: np.ndarray, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`values` as a bool array of the given shape.

    Raises:
        InputError: If the shape differs, or a value is masked or neither 0 nor 1.
    """
    values = plain(values, name)
    if values.shape != shape:
        raise InputError(f"{name} has shape {values.shape}, expected {shape}: one entry per model and example.")
    if values.dtype != np.bool_ and not np.isin(values, (0, 1)).all():
        raise InputError(f"{name} must hold True and False (or 1 and 0), got {np.unique(values)[:4].tolist()}.")
    return values.astype(np.bool_, copy=False)
