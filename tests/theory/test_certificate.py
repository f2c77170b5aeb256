from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.theory import Certificate, certificate_start, erm_certificate, rates
from quantleak.theory.cramer import chernoff_exponent

tables = arrays(np.float64, st.tuples(st.integers(2, 5), st.integers(2, 4)), elements=st.integers(0, 4).map(float))


def exact_security(table: np.ndarray, n: int) -> float:
    """MIS of an ERM over the rows, z uniform on the columns, by enumerating every training set in order.

    MIS = 1 - TV(law(theta_hat, z_1), law(theta_hat) x P); ties of the empirical risk go to the first row.
    """
    elements, examples = table.shape
    joint = np.zeros((elements, examples))
    for drawn in itertools.product(range(examples), repeat=n):
        joint[int(table[:, list(drawn)].sum(1).argmin()), drawn[0]] += examples**-n
    return 1 - 0.5 * float(np.abs(joint - joint.sum(1, keepdims=True) / examples).sum())


@given(table=tables, n=st.integers(1, 5))
@settings(max_examples=40)
def test_it_never_exceeds_the_security_found_by_enumeration(table, n):
    rows = np.unique(table, axis=0)
    certificate = erm_certificate(rows, n)
    assert certificate.value is None or certificate.value <= exact_security(rows, n) + 1e-9


@given(table=arrays(np.float64, (6, 9), elements=st.floats(0, 5, width=32)), n=st.integers(1, 3000))
@settings(max_examples=50)
def test_it_is_its_formula(table, n):
    best = table.mean(1).argmin()
    others = torch.from_numpy(
        np.stack(
            [row - table[best] for row in np.unique(table, axis=0) if (row != table[best]).any()] or [table[0] * np.nan]
        )
    )
    if others.isnan().any():
        assert erm_certificate(table, n).value is None
        return
    total = float(torch.exp(-n * chernoff_exponent(others)).sum())
    assert float(erm_certificate(table, n)) == pytest.approx(max(0, 1 - total) ** 2, abs=1e-9)


@given(table=tables | arrays(np.float64, (12, 20), elements=st.floats(0, 5, width=32)))
@settings(max_examples=50)
def test_it_starts_where_it_says(table):
    start = certificate_start(table)
    assert erm_certificate(table, 10**6).start == start
    if start is None:
        assert not erm_certificate(table, 10**6).value
        return
    assert float(erm_certificate(table, start)) > 0
    if start > 1:
        assert erm_certificate(table, start - 1).value == 0


def test_by_hand():
    # I = -ln(2 sqrt(3/16)) = ln(4/3) / 2, so exp(-n I) = (3/4)^(n/2).
    table = [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0]]
    certificate = erm_certificate(table, 8)
    assert float(certificate) == certificate.value == pytest.approx((1 - 0.75**4) ** 2)


def test_edges():
    assert erm_certificate([[0.0, 1.0], [1.0, 0.0]], 1000) == Certificate(value=0.0, reason=None, start=None)
    assert erm_certificate([[0.0, 0.0], [1.0, 2.0]], 1) == Certificate(value=1.0, reason=None, start=1)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (np.random.default_rng(0).random((1, 9)), "at least two distinct quantized models; evaluate more epochs"),
        ([[1.0, 2.0]] * 5, "at least two distinct quantized models; evaluate more epochs"),
        ([[0.0], [1.0]], "one validation example"),
        ([[math.inf, 1.0]], "no element has a finite mean loss"),
    ],
)
def test_what_proves_nothing_has_no_certificate(table, why):
    certificate = erm_certificate(table, 142)
    assert certificate.value is None
    assert why in str(certificate.reason)
    assert math.isnan(float(certificate))
    assert certificate.start is certificate_start(table) is rates(table, certificate=True).certificate_start is None


@pytest.mark.parametrize("n", [0, -3, 10**400])
def test_n_must_be_a_number_of_examples(n):
    with pytest.raises(InputError, match="positive whole number"):
        erm_certificate([[0.0, 1.0]], n)
