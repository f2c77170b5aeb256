"""What every pairing of targets and shadows must be: right way up, and silent about membership where nothing leaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from quantleak.attacks import CannotRecalibrate, NamedAttack, NotEnoughShadows, Pairing, Signals, lira, loss_attack, roc
from quantleak.testing.expect import expect
from quantleak.testing.fleet import MadeUpFleet, made_up_fleet

Paired = tuple[Pairing, Signals, Signals]
EXCHANGEABLE = 0.06
"""How far from 1/2 the mean AUC may lie by chance, over the pairings of `DRAWS` fleets."""
DRAWS = 8


def check_pairing(pair: Callable[[MadeUpFleet], Paired]) -> None:
    """Check a pairing on made-up fleets of 16 models.

    Args:
        pair: Of a fleet, the pairing with the signals of its targets and of its shadows, such as
            `lambda fleet: (LeaveOneOut(member=fleet.member, seed=0), signals, signals)`.

    Raises:
        AssertionError: Saying what it does wrong.

    Example:
        >>> from quantleak.attacks import LeaveOneOut
        >>> def pair(fleet):
        ...     signals = Signals(pool=fleet.pool, population=fleet.population)
        ...     return LeaveOneOut(member=fleet.member, seed=0), signals, signals
        >>> check_pairing(pair)
    """
    pairing, targets, shadows = pair(_fleet(0, shift=1.0))
    _check_shape(pairing, targets, shadows)
    _check_population(pairing, targets, shadows)
    _check_apart(pairing, targets, shadows)
    _check_recalibrated(pairing, targets, shadows)
    auc = _mean_auc(pair, _ratio(), shift=2.0)
    expect(auc > 0.55, f"Where members' signals are raised by 2 nats, LiRA finds nothing through it (AUC {auc:.3f}).")
    for name, attack in (("LiRA", _ratio()), ("the number of IN shadows", _counts())):
        auc = _mean_auc(pair, attack, shift=0.0)
        expect(
            abs(auc - 0.5) < EXCHANGEABLE,
            f"Where members and others are exchangeable, {name} has AUC {auc:.3f} instead of 1/2: the shadows that "
            "the attack may read reveal the target's membership. Let every example have equally many IN shadows.",
        )


def _fleet(seed: int, shift: float) -> MadeUpFleet:
    return made_up_fleet(16, 200, shift=shift, log_probability=False, seed=seed)


def _ratio() -> NamedAttack:
    return NamedAttack(name="ratio", description="LiRA's likelihood ratio", score=lira)


def _counts() -> NamedAttack:
    def score(target: Any, shadows: Any, member: np.ndarray, *, use: np.ndarray) -> np.ndarray:
        return -np.asarray((member & use).sum(0), dtype=np.float64)

    return NamedAttack(name="counts", description="fewer IN shadows mean a member", score=score)


def _check_shape(pairing: Pairing, targets: Signals, shadows: Signals) -> None:
    member = pairing.member
    expect(member.dtype == bool, f"The membership of the targets must be bool, it is {member.dtype}.")
    found = pairing.scores(_ratio(), targets, shadows)
    expect(
        found.shape == member.shape == targets.pool.shape,
        f"Scores, membership and targets must be of one shape [T, N], they are {found.shape}, {member.shape} and "
        f"{targets.pool.shape}.",
    )
    again = pairing.scores(_ratio(), targets, shadows)
    expect(np.array_equal(found, again), "The pairing gives other scores when it is called again.")


def _check_population(pairing: Pairing, targets: Signals, shadows: Signals) -> None:
    """An attack that needs a population is given one or is refused."""

    def score(
        target: Any, shadows: Any, member: Any, *, use: Any, population_target: Any, population_shadows: Any
    ) -> np.ndarray:
        expect(population_shadows.shape[0] == shadows.shape[0], "Population and pool have different shadows.")
        return loss_attack(target)

    attack = NamedAttack(name="population", description="needs a population", score=score, population=True)
    pairing.scores(attack, targets, shadows)
    try:
        pairing.scores(attack, Signals(pool=targets.pool), shadows)
    except NotEnoughShadows:
        return
    raise AssertionError("An attack that needs a population must be refused without one: raise NotEnoughShadows.")


def _check_apart(pairing: Pairing, targets: Signals, shadows: Signals) -> None:
    """No target is among its own shadows, and rows of shadows and their membership belong together."""

    def score(target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray) -> np.ndarray:
        expect(member.shape == use.shape == shadows.shape, "Shadows, their membership and `use` differ in shape.")
        expect(not (shadows == target).any(), "A target is among its own shadows.")
        return loss_attack(target)

    pairing.scores(NamedAttack(name="apart", description="looks for the target", score=score), targets, shadows)


def _check_recalibrated(pairing: Pairing, targets: Signals, shadows: Signals) -> None:
    """A quantizer that only moves and rescales signals is undone: the mapped targets are those of unmoved ones."""
    moved = pairing.recalibrated(targets.map(lambda signals: 3 + 0.5 * signals), shadows)
    unmoved = pairing.recalibrated(targets, shadows)
    for name in ("pool", "population"):
        same = np.allclose(getattr(moved, name), getattr(unmoved, name), rtol=1e-6, atol=1e-6)
        expect(same, f"Signals on the {name} that were moved and rescaled are not mapped back to the shadows' scale.")
    try:
        pairing.recalibrated(Signals(pool=targets.pool), shadows)
    except CannotRecalibrate:
        return
    raise AssertionError("Recalibration must be refused without a population: raise CannotRecalibrate.")


def _mean_auc(pair: Callable[[MadeUpFleet], Paired], attack: NamedAttack, shift: float) -> float:
    each = []
    for seed in range(DRAWS):
        pairing, targets, shadows = pair(_fleet(seed, shift))
        scores = pairing.scores(attack, targets, shadows)
        each += [roc(*row).auc for row in zip(scores, pairing.member, strict=True)]
    return float(np.mean(each))
