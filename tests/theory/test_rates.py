"""One pass over a loss table gives what each function alone would."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.theory import cramer_rate, erm_certificate, lambda_kk, privacy_rate, rates


@pytest.mark.parametrize("seed", range(5))
def test_it_is_each_function_alone(seed):
    losses = np.random.default_rng(seed).exponential(size=(7, 120)) + np.arange(7)[:, None] / 5
    found = rates(losses, certificate=True)
    assert found.r_q == privacy_rate(losses)
    assert found.cramer == cramer_rate(losses)
    assert found.lambda_kk.tolist() == lambda_kk(losses).tolist()
    best = losses.mean(1).argmin()
    order = losses.mean(1).argsort()
    np.testing.assert_allclose(found.means, losses.mean(1)[order])
    np.testing.assert_allclose(found.variances, (losses - losses[best]).var(1)[order[1:]])
    start = found.certificate_start
    assert start == erm_certificate(losses, 10).start
    assert erm_certificate(losses, start).value > 0


def test_the_certificate_is_left_out_unless_requested():
    assert rates([[0.0, 0.0, 0.0], [1.0, 1.0, -1.0]]).certificate_start is None
