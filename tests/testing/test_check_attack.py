"""The suite passes our own attacks and finds each fault that one can build in."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from quantleak.attacks import ATTACKS, RMIA, LiRA, NamedAttack, lira, loss_attack, rmia
from quantleak.testing import check_attack


@pytest.mark.parametrize("preset", LiRA.presets())
def test_lira_passes_in_every_preset(preset: str) -> None:
    check_attack(partial(lira, convention=LiRA.preset(preset)))


@pytest.mark.parametrize("preset", RMIA.presets())
def test_rmia_passes_in_every_preset(preset: str) -> None:
    check_attack(partial(rmia, convention=RMIA.preset(preset)), signal="log_probability", population=True)


@pytest.mark.parametrize("kind", ATTACKS, ids=lambda kind: kind.name)
def test_what_an_audit_runs_passes(kind) -> None:
    check_attack(kind, signal=kind.signal, population=kind.population)


def test_an_attack_without_shadows_passes() -> None:
    check_attack(lambda target, shadows, member, *, use: loss_attack(target))


def named(score, **options) -> NamedAttack:
    return NamedAttack(name="faulty", description="", score=score, **options)


def means(shadows, member, use):
    return np.nanmean(np.where(use, shadows, np.nan), axis=0)


def upside_down(target, shadows, member, *, use):
    return -loss_attack(target) + means(shadows, member, use)


def blind(target, shadows, member, *, use):
    return np.cos(1e6 * loss_attack(target))


def greedy(target, shadows, member, *, use):
    return lira(target, shadows, member)


def misaligned(target, shadows, member, *, use):
    return lira(target, shadows, member[::-1], use=use)


def by_place(target, shadows, member, *, use):
    return loss_attack(target) + np.arange(len(target))


def tolerant(target, shadows, member, *, use):
    return np.nan_to_num(target)


def in_place(target, shadows, member, *, use):
    target -= means(shadows, member, use)
    return target


DRAWS = np.random.default_rng(0)


def random(target, shadows, member, *, use):
    return target + DRAWS.normal(size=target.shape)


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (upside_down, "Members must score higher"),
        (blind, "finds nothing|must score higher"),
        (greedy, "reads shadows that `use` forbids"),
        (misaligned, "shadows come in another order|reads shadows"),
        (by_place, "do not follow their examples"),
        (tolerant, "must refuse a NaN in `target`"),
        (in_place, "changes its argument `target`"),
        (random, "other scores when it is called again"),
    ],
)
def test_a_fault_is_told_in_words(score, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_attack(named(score))


def test_an_attack_that_is_told_the_answer_is_found_out() -> None:
    # The made-up fleets are drawn from seed 0: this attack has seen the memberships of one of them.
    answers = np.random.default_rng(0).random((8, 1500)).argsort(axis=0) < 4

    def cheat(target, shadows, member, *, use):
        if len(target) != 1500 or len(shadows) != 7:
            return loss_attack(target)
        row = next(t for t in range(8) if np.array_equal(np.delete(answers, t, axis=0), member))
        return target + 10 * answers[row]

    with pytest.raises(AssertionError, match=r"exchangeable the AUC must be 1/2.*with 8 models"):
        check_attack(cheat)


def test_scores_of_another_shape_are_told() -> None:
    with pytest.raises(AssertionError, match="60 scores, one per example"):
        check_attack(lambda target, shadows, member, *, use: np.zeros((2, 60)))


def test_nan_is_told() -> None:
    with pytest.raises(AssertionError, match="gives NaN for finite signals"):
        check_attack(lambda target, shadows, member, *, use: np.full(60, np.nan))
