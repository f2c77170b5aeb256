"""The discriminator against worlds of known Bayes accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from quantleak.attacks.discriminator import SEARCH, Candidate, Discriminator, discriminator
from quantleak.errors import InputError

LOSS = Candidate(inputs="loss", width=0)
QUICK = Discriminator(search=(LOSS, Candidate(inputs="paper", width=8, learning_rate=1e-2)), epochs=5, batch=40)
COVERAGE = replace(QUICK, epochs=2)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_two_gaussians_give_their_bayes_accuracy(world, shift):
    # TV of N(0, 1) and N(shift, 1) is 2 Phi(shift / 2) - 1.
    found = discriminator(**world(100, 200, shift=shift), settings=QUICK)
    bayes = stats.norm.cdf(shift / 2)
    assert found.accuracy.value == pytest.approx(bayes, abs=0.015)
    assert found.mis_bound.value == pytest.approx(2 * (1 - bayes), abs=0.03)
    assert found.auc.value == pytest.approx(stats.norm.cdf(shift / np.sqrt(2)), abs=0.015)
    assert found.loss_accuracy.value == pytest.approx(bayes, abs=0.015)
    assert abs(found.gain.value) < 0.01


def test_members_whose_loss_is_wide_not_low_are_found_by_a_hidden_unit_only(world):
    # |z| > 1.64 sigma of one side: no threshold on the loss sees it.
    drawn = world(50, 64)
    rng = np.random.default_rng(1)
    drawn["losses"] = np.exp(rng.normal(size=drawn["member"].shape) * np.where(drawn["member"], 0.1, 3.0))
    curved = Candidate(inputs="loss", width=16, learning_rate=1e-2)
    found = discriminator(**drawn, settings=Discriminator(search=(LOSS, curved)))
    assert found.chosen == curved
    # Bayes by integrating the larger of the two densities.
    grid = np.linspace(-20, 20, 400_001)
    bayes = 0.5 * np.maximum(stats.norm.pdf(grid, scale=0.1), stats.norm.pdf(grid, scale=3)).sum() * (grid[1] - grid[0])
    assert found.accuracy.value == pytest.approx(bayes, abs=0.03)
    assert found.loss_accuracy.value < 0.75 < found.accuracy.low


def test_a_leak_through_theta_is_found_where_the_loss_shows_nothing(leaking):
    theta = Candidate(inputs="paper", width=64, learning_rate=1e-2)
    found = discriminator(**leaking(), settings=Discriminator(search=(LOSS, theta)))
    assert found.chosen == theta
    assert found.accuracy.low > 0.85
    assert found.loss_accuracy.value == pytest.approx(0.5, abs=0.05)
    assert found.gain.low > 0.3
    blind = Candidate(inputs="example", width=64, learning_rate=1e-2)
    alone = discriminator(**leaking(), settings=Discriminator(search=(blind,)))
    assert alone.accuracy.value == pytest.approx(0.5, abs=0.05)


def test_alignment_finds_in_many_dimensions_what_raw_inputs_do_not(leaking):
    drawn = leaking(size=32)
    found = discriminator(**drawn, settings=Discriminator(search=SEARCH[:3]))
    aligned = discriminator(**drawn, settings=Discriminator(search=SEARCH[-1:]))
    assert aligned.accuracy.low > 0.8 > 0.65 > found.accuracy.value


def test_exchangeable_data_give_one_half_within_the_interval(world):
    covered = []
    for seed in range(40):
        accuracy = discriminator(**world(20, 20, seed=seed), settings=COVERAGE, seed=seed).accuracy
        covered.append(accuracy.low <= 0.5 <= accuracy.high)
    # 95% of 40 is 38; 33 or fewer has probability 0.003.
    assert sum(covered) >= 34


def test_the_interval_knows_that_examples_of_one_model_are_dependent(world):
    # Half of the models give all their members away, the others nothing.
    drawn, leaks = world(60, 100), np.arange(60)[:, None] % 2 == 0
    losses = drawn["losses"] * np.exp(np.where(drawn["member"], -20, 0) * leaks)
    found = discriminator(**drawn | {"losses": losses}, settings=QUICK)
    assert found.accuracy.low < 0.75 < found.accuracy.high
    binomial = 2 * 1.96 * np.sqrt(0.75 * 0.25 / found.scores.size)
    assert found.accuracy.high - found.accuracy.low > 3 * binomial


def test_nothing_of_the_test_models_reaches_g(world):
    drawn = world(shift=1.0)
    first = discriminator(**drawn, settings=QUICK)
    test = first.split.test
    flipped = drawn["member"].copy()
    flipped[test] = ~flipped[test]
    second = discriminator(**drawn | {"member": flipped}, settings=QUICK)
    assert (second.chosen, second.threshold, second.trials) == (first.chosen, first.threshold, first.trials)
    np.testing.assert_array_equal(second.scores, first.scores)
    np.testing.assert_allclose(second.per_model.accuracy, 1 - first.per_model.accuracy)
    other = {name: values.copy() for name, values in drawn.items()}
    for name in ("parameters", "features", "losses"):
        other[name][test] = np.abs(other[name][test]) * 100
    third = discriminator(**other, settings=QUICK)
    assert (third.chosen, third.threshold, third.trials) == (first.chosen, first.threshold, first.trials)


def test_seeds_decide_everything_and_touch_nobody_elses_numbers(world):
    drawn, torch_state, numpy_state = world(shift=1.0), torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (discriminator(**drawn, settings=QUICK, seed=3) for _ in range(2))
    assert (first.trials, first.threshold, first.to_dict()) == (again.trials, again.threshold, again.to_dict())
    np.testing.assert_array_equal(first.scores, again.scores)
    other = discriminator(**drawn, settings=QUICK, seed=4)
    assert other.split.test.tolist() != first.split.test.tolist()
    assert other.trials != first.trials
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def test_the_linear_function_of_the_log_loss_is_the_loss_attack_whatever_the_unit(world):
    drawn = world(shift=1.0)
    settings = replace(QUICK, search=(LOSS,))
    found = discriminator(**drawn, settings=settings)
    np.testing.assert_array_equal(found.per_model.accuracy, found.per_model.loss_accuracy)
    for factor in (1e-200, 1e200):
        scaled = discriminator(**drawn | {"losses": drawn["losses"] * factor}, settings=settings)
        np.testing.assert_allclose(scaled.scores, found.scores, atol=1e-3)


def test_bad_settings_and_too_few_models_are_refused(world):
    with pytest.raises(InputError, match="of 4, 1 validate and 2 test, which leaves 1"):
        discriminator(**world(models=4))
    with pytest.raises(InputError, match="got -1. Try seed=0"):
        discriminator(**world(), seed=-1)
    with pytest.raises(InputError, match="width >= 0"):
        Candidate(width=-1)
    with pytest.raises(InputError, match="at least one Candidate"):
        Discriminator(search=())
    with pytest.raises(InputError, match="leave models to train on"):
        Discriminator(validation=0.5, test=0.5)
    with pytest.raises(InputError, match="patience"):
        Discriminator(patience=0)
