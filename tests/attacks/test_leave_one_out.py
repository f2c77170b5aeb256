"""Leave-one-out: no signal means no result (L9), the target's own row is out (L12), its membership unread (L11)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from quantleak.attacks import LiRA, difficulty, leave_one_out, lira, rmia, roc
from quantleak.errors import InputError

CONVENTIONS = [
    LiRA(),
    LiRA(centre="mean"),
    LiRA(variance="global"),
    LiRA(mode="offline"),
    LiRA(mode="offline", tail="two"),
]


def mean_auc(scores, member):
    return np.mean([roc(*pair).auc for pair in zip(scores, member, strict=True)])


@pytest.mark.parametrize("models", [8, 16])
@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
def test_no_signal_gives_auc_one_half_on_an_exact_half_design(models, convention, fleet):
    values, examples, repeats = [], 400, 20
    for seed in range(repeats):
        world = fleet(models, examples, shift=0.0, seed=seed)
        attack = partial(lira, convention=convention)
        scores = leave_one_out(attack, world.signals, world.signals, world.member, seed=seed)
        values.append(mean_auc(scores, world.member))
    # Targets share their shadows, so the spread over repeats is the honest standard error.
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values, ddof=1) / np.sqrt(repeats)
    assert abs(np.mean(values) - 0.5) < 0.01


def test_without_equal_counts_the_same_null_is_far_from_one_half(fleet):
    values = []
    for seed in range(5):
        world = fleet(8, 400, shift=0.0, seed=seed)
        scores = leave_one_out(lira, world.signals, world.signals, world.member, balance=False)
        values.append(mean_auc(scores, world.member))
    assert np.mean(values) < 0.47


def test_no_signal_gives_tpr_alpha(fleet):
    world = fleet(16, 4000, shift=0.0)
    scores = leave_one_out(lira, world.signals, world.signals, world.member)
    tpr = np.mean([roc(*pair).tpr_at(0.1) for pair in zip(scores, world.member, strict=True)])
    assert tpr == pytest.approx(0.1, abs=0.01)


def test_rmia_and_difficulty_have_no_result_without_signal_either(fleet):
    values = []
    for seed in range(10):
        world = fleet(8, 400, shift=0.0, seed=seed)
        signals, population = np.minimum(world.signals, 0), np.minimum(world.population, 0)
        scores = leave_one_out(
            rmia, signals, signals, world.member, population_targets=population, population_shadows=population
        )
        values.append(
            (
                mean_auc(scores, world.member),
                mean_auc(leave_one_out(difficulty, world.signals, world.signals, world.member), world.member),
            )
        )
    assert np.abs(np.mean(values, axis=0) - 0.5).max() < 0.015


def spy(target, shadows, member, *, use, **rest):
    """An attack that answers with everything it was given, folded into one number per example."""
    weights = np.arange(1, len(shadows) + 1)[:, None]
    return (
        (weights * np.where(use, shadows + 10 * member, 0)).sum(axis=0)
        + 1000 * target
        + sum(float(values.sum()) for values in rest.values())
    )


@pytest.mark.parametrize("attack", [lira, spy])
@pytest.mark.parametrize("balance", [None, True, False])
def test_a_target_is_not_in_its_own_fit_and_its_membership_is_not_read(attack, balance, fleet):
    world = fleet(8, 60)
    targets = world.signals + 1
    scores = leave_one_out(attack, targets, world.signals, world.member, balance=balance)
    for t in (0, 3, 7):
        shadows, member = world.signals.copy(), world.member.copy()
        shadows[t], member[t] = 99.0, ~member[t]
        again = leave_one_out(attack, targets, shadows, member, balance=balance)
        np.testing.assert_array_equal(again[t], scores[t])


def test_the_population_row_of_the_target_is_out_too(fleet):
    world = fleet(6, 30)
    population = world.population[:, :20]
    scores = leave_one_out(
        spy,
        world.signals,
        world.signals,
        world.member,
        population_targets=0 * population,
        population_shadows=population,
    )
    spoilt = population.copy()
    spoilt[2] = 1e6
    again = leave_one_out(
        spy, world.signals, world.signals, world.member, population_targets=0 * population, population_shadows=spoilt
    )
    np.testing.assert_array_equal(again[2], scores[2])
    assert (again[0] != scores[0]).all()


def count_shadows(target, shadows, member, *, use):
    return np.array([(member & use).sum(axis=0), (~member & use).sum(axis=0)]).T @ [100.0, 1.0]


def test_counts_are_equal_where_the_design_is_exact_and_complete_where_it_is_not(fleet):
    world = fleet(8, 200)
    counts = leave_one_out(count_shadows, world.signals, world.signals, world.member)
    np.testing.assert_array_equal(counts, np.full((8, 200), 303))
    coins = np.random.default_rng(0).random((8, 200)) < 0.5
    counts = leave_one_out(count_shadows, world.signals, world.signals, coins)
    others = coins.sum(axis=0) - coins
    np.testing.assert_array_equal(counts, 100 * others + (7 - others))
    cut = leave_one_out(count_shadows, world.signals, world.signals, coins, balance=True)
    assert (cut == cut[:, :1]).all()


def test_left_out_shadows_depend_on_seed_and_position_only(fleet):
    world = fleet(8, 50)
    scores = leave_one_out(spy, world.signals, world.signals, world.member, seed=1)
    again = leave_one_out(spy, world.signals[:, :30], world.signals[:, :30], world.member[:, :30], seed=1)
    np.testing.assert_array_equal(scores[:, :30], again)
    assert (leave_one_out(spy, world.signals, world.signals, world.member, seed=2) != scores).any()


def test_each_row_is_the_plain_attack_on_the_others_for_coins(fleet):
    world = fleet(12, 40)
    coins = np.random.default_rng(1).random((12, 40)) < 0.5
    signals = np.stack([world.signals, world.signals + 0.1], axis=2)
    scores = leave_one_out(lira, signals, signals, coins)
    others = np.delete(np.arange(12), 5)
    np.testing.assert_allclose(scores[5], lira(signals[5], signals[others], coins[others]), rtol=1e-12)


def test_a_signal_is_found(fleet):
    world = fleet(32, 1000, shift=1.0)
    scores = leave_one_out(lira, world.signals, world.signals, world.member)
    assert mean_auc(scores, world.member) == pytest.approx(0.745, abs=0.015)


def test_bad_input_is_refused(fleet):
    world = fleet(4, 10)
    with pytest.raises(InputError, match="one shape"):
        leave_one_out(lira, world.signals[:3], world.signals, world.member)
    with pytest.raises(InputError, match="at least 2 models"):
        leave_one_out(lira, world.signals[:1], world.signals[:1], world.member[:1])
    with pytest.raises(InputError, match="or neither"):
        leave_one_out(rmia, world.signals, world.signals, world.member, population_targets=world.population)
    with pytest.raises(InputError, match="row for each of the 4 models"):
        leave_one_out(
            rmia,
            world.signals,
            world.signals,
            world.member,
            population_targets=world.population[:2],
            population_shadows=world.population[:2],
        )
