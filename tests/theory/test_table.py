"""Loss tables of any container; rows that are equal are one element."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.theory.table import as_table, distinct_rows, row_means


@given(table=arrays(np.float64, (6, 3), elements=st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-15, math.inf])))
def test_of_equal_rows_the_first_stays(table):
    seen, expected = [], []
    for number, row in enumerate(table.tolist()):
        if row not in seen:
            seen.append(row)
            expected.append(number)
    found = as_table(table)
    assert distinct_rows(found, row_means(found)).tolist() == expected


@pytest.mark.parametrize("given_", [[[1, 2], [3, 4]], torch.tensor([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]])])
def test_any_container_becomes_a_tensor(given_):
    found = as_table(given_)
    assert found.is_floating_point()
    assert found.tolist() == [[1, 2], [3, 4]]
    assert row_means(found).tolist() == [1.5, 3.5]


def test_a_tensor_is_not_copied():
    table = torch.rand(3, 4)
    assert as_table(table).data_ptr() == table.data_ptr()


def test_means_are_infinite_only_where_a_loss_is():
    found = row_means(as_table([[1.7e308, 1.7e308], [math.inf, 0.0]]))
    assert found[0] == pytest.approx(1.7e308)
    assert found[1] == math.inf


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([1.0, 2.0], r"must be a table \[elements, validation examples\]"),
        (np.zeros((3, 0)), "must be a table"),
        ([["a"]], "losses"),
        ([[1.0, math.nan]], "first nan for element 0 on validation example 1"),
        ([[1.0, 2.0], [-math.inf, 2.0]], "first -inf for element 1 on validation example 0"),
    ],
)
def test_what_is_no_table_of_losses_is_refused(losses, message):
    with pytest.raises(InputError, match=message):
        row_means(as_table(losses))
