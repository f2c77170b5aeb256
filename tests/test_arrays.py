from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from quantleak import InputError
from quantleak.arrays import packed, plain, unwrapped


def test_what_fits_is_not_copied():
    array = np.arange(6.0).reshape(2, 3)
    assert np.shares_memory(plain(array, "x"), array)
    assert np.shares_memory(plain(array.T, "x"), array)
    assert np.shares_memory(packed(array, "x"), array)
    assert packed(array.T, "x").flags.c_contiguous


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (np.zeros(2, np.float16), np.float32),
        (np.zeros(2, ">f4"), np.float32),
        (np.zeros(2, np.longdouble), np.float64),
        (np.zeros(2, ">i2"), np.int16),
        (torch.zeros(2, dtype=torch.bfloat16), np.float32),
        (torch.zeros(2, dtype=torch.float8_e4m3fn), np.float32),
        (torch.zeros(2, dtype=torch.bool), np.bool_),
        ([Fraction(1, 3), 2], np.float64),
    ],
)
def test_dtypes(given, dtype):
    found = plain(given, "x")
    assert found.dtype == dtype
    assert found.dtype.isnative


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ma.masked_equal([1, -999, 3], -999), "x has 1 masked entries"),
        ([1.0, np.ma.masked], "x has 1 masked entries"),
        ([[1.0], [1.0, 2.0]], "x are not one array"),
        ([1.0, None], "x must be real numbers, got an array of object"),
        (torch.zeros(2, dtype=torch.complex64), "x must be real numbers, got a tensor of torch.complex64"),
        (np.array([np.longdouble("1e400")]), "x has values beyond float64"),
        ([10**400], "beyond float64"),
    ],
)
def test_what_is_no_number_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        plain(given, "x")


def test_texts_are_unwrapped_only():
    assert unwrapped(["a", "b"], "x").tolist() == ["a", "b"]
