"""The interval of the sampled MIS: it holds, and it closes in."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.theory import erm_mis, learner_mis
from quantleak.theory.exact import Erm, Gibbs, Sampling, quantized, sample_mis

COIN = ([[0, 0, 0, 1], [1, 1, 1, 0]], [0.25] * 4)
TIE = ([[0, 1, 1], [1, 0, 1], [1, 1, 0]], [1 / 3] * 3)


@pytest.mark.parametrize(("losses", "p"), [COIN, TIE])
@pytest.mark.parametrize("draws", [2, 20, 400])
@pytest.mark.parametrize("n", [3, 12])
def test_the_interval_covers_at_every_number_of_draws(losses, p, draws, n):
    exact = erm_mis(losses, p, n).value
    learner = Erm(losses=losses)
    found = [sample_mis(learner, p, n, Sampling(draws=draws, seed=seed, level=0.8)) for seed in range(60)]
    assert np.mean([one.low <= exact <= one.high for one in found]) >= 0.8
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in found)


@pytest.mark.parametrize("learner", [Erm(losses=TIE[0], ties="uniform"), Gibbs(losses=TIE[0], inverse_temperature=0.5)])
def test_it_converges_to_the_exact_value(learner):
    exact = learner_mis(learner, TIE[1], 15)
    few, many = (sample_mis(learner, TIE[1], 15, Sampling(draws=draws)) for draws in (1000, 200_000))
    assert many.value == pytest.approx(exact.value, abs=2e-3)
    assert many.high - many.low < (few.high - few.low) / 8
    np.testing.assert_allclose(many.joint, exact.joint, atol=5e-3)


def test_the_estimate_is_the_middle_of_two_whose_expectations_enclose_the_truth():
    losses, p = 1 - np.eye(6), np.full(6, 1 / 6)
    exact = erm_mis(losses, p, 10).leak
    found = [sample_mis(Erm(losses=losses), p, 10, Sampling(draws=60, seed=seed)) for seed in range(200)]
    plain = np.array([np.abs(one.deviation).sum() / 2 for one in found])
    crossed = 2 * np.array([one.leak for one in found]) - plain
    assert crossed.mean() < exact < plain.mean()


def test_equal_seeds_give_equal_figures():
    learner = Erm(losses=TIE[0])
    assert sample_mis(learner, TIE[1], 9).value == sample_mis(learner, TIE[1], 9).value
    assert sample_mis(learner, TIE[1], 9).value != sample_mis(learner, TIE[1], 9, Sampling(seed=1)).value


def test_sampled_records_are_not_quantized():
    with pytest.raises(InputError, match="enumerated"):
        quantized(sample_mis(Erm(losses=TIE[0]), TIE[1], 9), np.zeros(3, dtype=int))


@pytest.mark.parametrize(("settings", "match"), [({"draws": 3}, "even"), ({"level": 1.0}, "between 0 and 1")])
def test_settings(settings, match):
    with pytest.raises(InputError, match=match):
        Sampling(**settings)
