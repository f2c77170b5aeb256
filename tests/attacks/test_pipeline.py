"""The pipeline against attacks called by hand, target by target, on signals of its pairings."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from quantleak.attacks import (
    ATTACKS,
    Apart,
    LeaveOneOut,
    Mode,
    NamedAttack,
    NotEnoughShadows,
    Signals,
    affine_map,
    attack_all,
    evaluate,
    leave_one_out,
    lira,
    log_probability,
    rmia,
    score,
)
from quantleak.errors import InputError
from quantleak.testing.fleet import made_up_fleet

TARGETS = 4
KINDS = {kind.name: kind for kind in ATTACKS}


@pytest.fixture(scope="module")
def fleet():
    return made_up_fleet(16, 120, shift=1.5, log_probability=False)


def everyone(fleet) -> tuple[Mode, LeaveOneOut]:
    signals = Signals(pool=fleet.pool, population=fleet.population)
    return Mode(name="adaptive", targets=signals, shadows=signals), LeaveOneOut(member=fleet.member, seed=3)


def apart(fleet, **options) -> tuple[Mode, Apart]:
    targets = Signals(pool=fleet.pool[:TARGETS], population=fleet.population[:TARGETS])
    shadows = Signals(pool=fleet.pool[TARGETS:], population=fleet.population[TARGETS:])
    pairing = Apart(member=fleet.member[:TARGETS], shadows_member=fleet.member[TARGETS:], seed=3)
    return Mode(name="transfer", targets=targets, shadows=shadows, **options), pairing


def test_leave_one_out_reads_the_signal_that_the_attack_names(fleet) -> None:
    mode, pairing = everyone(fleet)
    found = score(KINDS["lira-online"], mode, pairing, "binary")
    np.testing.assert_array_equal(found, leave_one_out(lira, fleet.pool, fleet.pool, fleet.member, seed=3))
    found = score(KINDS["rmia-online"], mode, pairing, "multiclass")
    pool, population = log_probability(fleet.pool), log_probability(fleet.population)
    by_hand = leave_one_out(
        rmia, pool, pool, fleet.member, population_targets=population, population_shadows=population, seed=3
    )
    np.testing.assert_array_equal(found, by_hand)


def test_targets_apart_are_attacked_one_by_one_with_the_same_shadows(fleet) -> None:
    mode, pairing = apart(fleet)
    # Coins, not an exact design: no example's number of shadows tells anything, so that all of them are read.
    member = np.random.default_rng(0).random(fleet.member.shape) < 0.5
    pairing = Apart(member=member[:TARGETS], shadows_member=member[TARGETS:], seed=3)
    found = score(KINDS["lira-offline"], mode, pairing, "binary")
    for target, row in zip(fleet.pool[:TARGETS], found, strict=True):
        attack = partial(lira, convention=KINDS["lira-offline"].convention)
        np.testing.assert_allclose(row, attack(target, fleet.pool[TARGETS:], member[TARGETS:]))


def test_recalibrated_targets_are_mapped_before_they_are_scored(fleet) -> None:
    mode, pairing = apart(fleet, recalibrated=True)
    found = score(KINDS["lira-online"], mode, pairing, "binary")
    maps = [affine_map(own, fleet.population[TARGETS:]) for own in fleet.population[:TARGETS]]
    mapped = np.stack([to(own) for to, own in zip(maps, fleet.pool[:TARGETS], strict=True)])
    plain = Mode(name="", targets=Signals(pool=mapped), shadows=mode.shadows)
    np.testing.assert_allclose(found, score(KINDS["lira-online"], plain, pairing, "binary"))


def test_loss_reads_the_targets_alone(fleet) -> None:
    mode, pairing = apart(fleet)
    np.testing.assert_array_equal(score(KINDS["loss"], mode, pairing, "binary"), fleet.pool[:TARGETS])
    np.testing.assert_array_equal(score(KINDS["loss"], mode, pairing, "regression"), -np.abs(fleet.pool[:TARGETS]))


def test_every_attack_in_every_mode_once_and_loss_without_a_mode(fleet) -> None:
    mode, pairing = apart(fleet)
    again = Mode(name="recalibrated", targets=mode.targets, shadows=mode.shadows, recalibrated=True)
    found = attack_all(ATTACKS, [mode, again], pairing, task="binary", groups=None, level=0.9)
    names = [(attack.name, attack.mode) for attack in found.attacks]
    expected = {(name, each) for name in KINDS if name != "loss" for each in ("transfer", "recalibrated")}
    assert sorted(names) == sorted(expected | {("loss", "none")})
    for attack in found.attacks:
        scores = found.scores[attack.name, attack.mode]
        reporting = found.choice.reported_on
        assert attack.auc == evaluate(scores[reporting], pairing.member[reporting], level=0.9).auc
    assert (found.worst.name, found.worst.mode) == found.choice.name
    assert found.worst.value == found.choice.estimate.value
    # One figure for one thing: the headline is that of the same attack's record.
    listed = next(attack for attack in found.attacks if (attack.name, attack.mode) == found.choice.name)
    assert found.worst.auc == listed.auc
    assert found.worst.value == (listed.auc if found.worst.fpr is None else listed.tpr[f"{found.worst.fpr:g}"]).value


def test_an_attack_that_cannot_run_says_why_and_the_others_run(fleet) -> None:
    mode, pairing = apart(fleet)
    mode = Mode(name="user-supplied", targets=Signals(pool=mode.targets.pool), shadows=mode.shadows)
    found = attack_all(ATTACKS, [mode], pairing, task="binary", groups=None, level=0.95)
    refused = {attack.name: attack.reason for attack in found.attacks if attack.reason}
    assert set(refused) == {"rmia-online", "rmia-offline"}
    assert all("population" in reason for reason in refused.values())
    assert all(key[0] not in refused for key in found.scores)


def test_nothing_that_runs_is_refused_by_name(fleet) -> None:
    def score(*_, **__):
        raise NotEnoughShadows("too few")

    attack = NamedAttack(name="never", description="", score=score)
    mode, pairing = apart(fleet)
    with pytest.raises(InputError, match="at least one attack"):
        attack_all([attack], [mode], pairing, task="binary", groups=None, level=0.95)


@pytest.mark.parametrize("pair", [everyone, apart])
def test_queries_that_say_the_same_change_no_score(fleet, pair) -> None:
    mode, pairing = pair(fleet)

    def repeated(signals: Signals) -> Signals:
        return signals.map(lambda one: np.stack([one, one], axis=-1))

    again = Mode(name=mode.name, targets=repeated(mode.targets), shadows=repeated(mode.shadows))
    for kind in ATTACKS:
        one, two = (score(kind, each, pairing, "binary") for each in (mode, again))
        # RMIA counts among twice as many points, out of 2 M + 1 in place of M + 1.
        np.testing.assert_allclose(two, one, rtol=1e-6, atol=0.01, err_msg=kind.name)


def test_aligned_queries_average_noise_away(fleet) -> None:
    random = np.random.default_rng(5)

    def seen(signals: Signals, queries: int) -> Signals:
        return signals.map(lambda one: one[..., None] + random.normal(size=(*one.shape, queries)))

    aucs = []
    for queries in (1, 8):
        signals = seen(Signals(pool=fleet.pool, population=fleet.population), queries)
        signals = signals if queries > 1 else signals.map(lambda one: one[..., 0])
        mode = Mode(name="adaptive", targets=signals, shadows=signals)
        scores = score(KINDS["lira-online"], mode, LeaveOneOut(member=fleet.member, seed=3), "binary")
        aucs.append(float(evaluate(scores, fleet.member).auc))
    assert aucs[1] > aucs[0] + 0.05


def test_recalibration_takes_queries_together(fleet) -> None:
    moved = Signals(pool=0.5 * fleet.pool + 1, population=0.5 * fleet.population + 1)
    signals = Signals(pool=fleet.pool, population=fleet.population)

    def twice(one: Signals) -> Signals:
        return one.map(lambda values: np.stack([values, values], axis=-1))

    pairing = LeaveOneOut(member=fleet.member, seed=3)
    once = pairing.recalibrated(moved, signals)
    both = pairing.recalibrated(twice(moved), twice(signals))
    np.testing.assert_allclose(both.pool[..., 1], once.pool, rtol=1e-9)


def test_an_attack_of_another_package_reads_one_signal_per_example(fleet) -> None:
    seen: list[tuple[int, ...]] = []

    def own(target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray) -> np.ndarray:
        seen.append((target.ndim, shadows.ndim))
        return target - shadows.mean(axis=0)

    two = Signals(pool=np.stack([fleet.pool, fleet.pool + 2], axis=-1), population=None)
    mode = Mode(name="adaptive", targets=two, shadows=two)
    attack = NamedAttack(name="own", description="signal above the mean shadow", score=own)
    found = score(attack, mode, LeaveOneOut(member=fleet.member, seed=3), "binary")
    assert set(seen) == {(1, 2)}
    middle = fleet.pool + 1
    np.testing.assert_allclose(found[0], middle[0] - middle[1:].mean(axis=0))
