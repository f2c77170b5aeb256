"""What a pairing hands to an attack: the right target, the right shadows, no trace of membership in their number."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import Apart, LeaveOneOut, NamedAttack, NotEnoughShadows, Signals
from quantleak.attacks.recalibrate import CannotRecalibrate

MODELS, EXAMPLES = 8, 30


Calls = list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]


def seen(population: bool = False) -> tuple[NamedAttack, Calls]:
    """An attack, and a list of what it was handed."""
    calls: Calls = []

    def score(target, shadows, member, *, use, **_):
        calls.append((target, shadows, member, use))
        return target

    return NamedAttack(name="seen", description="", score=score, population=population), calls


def fleet() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    member = rng.random((MODELS, EXAMPLES)).argsort(axis=0) < MODELS // 2
    return rng.normal(size=member.shape) + member, member


def test_every_model_is_attacked_by_all_others():
    pool, member = fleet()
    attack, calls = seen()
    LeaveOneOut(member=member, seed=0).scores(attack, Signals(pool=pool), Signals(pool=2 * pool))
    for model, (target, shadows, own, _) in enumerate(calls):
        np.testing.assert_array_equal(target, pool[model])
        np.testing.assert_array_equal(shadows, 2 * np.delete(pool, model, axis=0))
        np.testing.assert_array_equal(own, np.delete(member, model, axis=0))


@pytest.mark.parametrize("exact", [True, False])
def test_equally_many_shadows_are_read_where_their_number_would_give_a_target_away(exact):
    pool, member = fleet()
    if not exact:
        member = np.random.default_rng(1).random(member.shape) < 0.5
    attack, calls = seen()
    pairing = Apart(member=member[:1], shadows_member=member[1:], seed=0)
    pairing.scores(attack, Signals(pool=pool[:1]), Signals(pool=pool[1:]))
    _, _, own, use = calls[0]
    read = np.stack([(own & use).sum(axis=0), (~own & use).sum(axis=0)])
    assert use.all() != exact
    if exact:
        assert (read == read[:, :1]).all()


def test_an_attack_with_a_population_needs_one():
    pool, member = fleet()
    attack, _ = seen(population=True)
    for pairing in (LeaveOneOut(member=member, seed=0), Apart(member=member, shadows_member=member, seed=0)):
        with pytest.raises(NotEnoughShadows, match="needs population_target and population_shadows"):
            pairing.scores(attack, Signals(pool=pool), Signals(pool=pool))
        with pytest.raises(CannotRecalibrate, match="signals on a population"):
            pairing.recalibrated(Signals(pool=pool), Signals(pool=pool))


def test_a_function_of_signals_is_one_of_pool_and_population():
    found = Signals(pool=np.ones((2, 3)), population=np.ones((2, 4))).map(lambda values: 2 * values)
    assert (found.pool == 2).all()
    assert (found.population == 2).all()
    assert Signals(pool=np.ones((1, 1))).map(np.negative).population is None
