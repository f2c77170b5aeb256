"""Means over models with Student's interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quantleak.attacks.discriminator.result import mean_over_models


def test_the_mean_over_models_has_students_interval():
    values = np.random.default_rng(0).normal(size=7)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = mean_over_models(values, 0.9)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert mean_over_models(np.full(4, 0.5), 0.95).to_dict() == {"value": 0.5, "low": 0.5, "high": 0.5}
