"""What every attack must be: right way up, blind where there is nothing to see, each example scored for itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from quantleak.attacks import NamedAttack, leave_one_out, roc
from quantleak.attacks.named import Signal
from quantleak.errors import InputError
from quantleak.testing.expect import expect
from quantleak.testing.fleet import MadeUpFleet, made_up_fleet

Attack = Callable[..., np.ndarray]
EXCHANGEABLE = 0.03
"""How far from 1/2 the mean AUC may lie by chance; about four standard errors here."""


def check_attack(attack: Attack, *, signal: Signal | None = None, population: bool | None = None) -> None:
    """Check an attack on made-up fleets of 8 and of 16 models.

    Args:
        attack: A `NamedAttack`, or a function that `leave_one_out` can call.
        signal: `log_odds` or `log_probability`; that of the NamedAttack, else `log_odds`.
        population: Whether it reads the population; that of the NamedAttack, else no.

    Raises:
        AssertionError: Saying what it does wrong.

    Example:
        >>> from quantleak.attacks import lira
        >>> check_attack(lira)
    """
    if isinstance(attack, NamedAttack):
        signal, population = signal or attack.signal, attack.population if population is None else population
    tested, log_probability = TestedAttack(attack, population=bool(population)), signal == "log_probability"
    draw = partial(made_up_fleet, log_probability=log_probability)
    _check_shape(tested, draw(16, 60, shift=1.0))
    _check_examples(tested, draw(16, 60, shift=1.0))
    _check_shadows(tested, draw(16, 60, shift=1.0))
    _check_sides(tested, draw(16, 400, shift=2.0))
    for models in (8, 16):
        _check_exchangeable(tested, draw(models, 1500, shift=0.0))
    _check_unusable(tested, draw(16, 60, shift=1.0))


class TestedAttack:
    """An attack with what it reads of a fleet."""

    def __init__(self, attack: Attack, *, population: bool) -> None:
        self.attack, self.population = attack, population

    def arguments(self, fleet: MadeUpFleet) -> dict[str, Any]:
        """Arguments that attack model 0 with the others as its shadows."""
        others = fleet.member[1:]
        arguments = {"target": fleet.pool[0], "shadows": fleet.pool[1:], "member": others, "use": np.ones_like(others)}
        if self.population:
            arguments |= {"population_target": fleet.population[0], "population_shadows": fleet.population[1:]}
        return {name: value.copy() for name, value in arguments.items()}

    def one(self, target: np.ndarray, shadows: np.ndarray, member: np.ndarray, **others: np.ndarray) -> np.ndarray:
        """Scores of one target."""
        return np.asarray(self.attack(target, shadows, member, **others))

    def all(self, fleet: MadeUpFleet) -> np.ndarray:
        """Scores of every model, the others its shadows."""
        populations = fleet.population if self.population else None
        return leave_one_out(
            self.attack,
            fleet.pool,
            fleet.pool,
            fleet.member,
            population_targets=populations,
            population_shadows=populations,
        )


def _check_shape(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    given, kept = tested.arguments(fleet), tested.arguments(fleet)
    scores = tested.one(**given)
    examples = fleet.member.shape[1]
    expect(scores.shape == (examples,), f"The attack must give {examples} scores, one per example, got {scores.shape}.")
    expect(not np.isnan(scores).any(), "The attack gives NaN for finite signals.")
    for name, value in given.items():
        expect(np.array_equal(value, kept[name]), f"The attack changes its argument `{name}`; work on a copy.")
    expect(np.array_equal(tested.one(**given), scores), "The attack gives other scores when it is called again.")


def _check_sides(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    auc = _mean_auc(tested, fleet)
    expect(auc > 0.5, f"Members must score higher; where their signals are raised by 2 nats the AUC is {auc:.3f}.")
    expect(auc > 0.55, f"The attack finds nothing (AUC {auc:.3f}) where members' signals are raised by 2 nats.")


def _check_exchangeable(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    auc, models = _mean_auc(tested, fleet), len(fleet.member)
    expect(
        abs(auc - 0.5) < EXCHANGEABLE,
        f"Where members and others are exchangeable the AUC must be 1/2, it is {auc:.3f} with {models} models. Does "
        "the attack read the target's membership, or only the shadows that `use` allows?",
    )


def _check_examples(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    """Scores belong to examples: another order of the examples is the same order of the scores."""
    order = np.random.default_rng(1).permutation(fleet.member.shape[1])
    turned = MadeUpFleet(pool=fleet.pool[:, order], population=fleet.population, member=fleet.member[:, order])
    found, wanted = tested.one(**tested.arguments(turned)), tested.one(**tested.arguments(fleet))[order]
    aligned = np.allclose(found, wanted, rtol=1e-6, atol=1e-9)
    expect(aligned, "The attack's scores do not follow their examples when these come in another order.")


def _check_shadows(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    """Rows of `shadows`, `member` and `use` belong together, and what may not be read is not read."""
    given = tested.arguments(fleet)
    given["use"] = np.random.default_rng(2).random(given["member"].shape) < 0.7
    wanted = tested.one(**given)
    hidden = given | {"shadows": np.where(given["use"], given["shadows"], given["shadows"] - 50)}
    expect(
        np.allclose(tested.one(**hidden), wanted, rtol=1e-6, atol=1e-9),
        "The attack reads shadows that `use` forbids. Their numbers would then reveal the target's membership.",
    )
    order = np.random.default_rng(3).permutation(len(given["member"]))
    turned = {name: value if value.ndim == 1 else value[order] for name, value in given.items()}
    aligned = np.allclose(tested.one(**turned), wanted, rtol=1e-6, atol=1e-9)
    expect(aligned, "The scores change when the same shadows come in another order.")


def _check_unusable(tested: TestedAttack, fleet: MadeUpFleet) -> None:
    """A NaN is refused, unless it stands in what the attack does not read at all."""
    wanted = tested.one(**tested.arguments(fleet))
    for name in ("target", "shadows", "population_target", "population_shadows"):
        given = tested.arguments(fleet)
        if name in given:
            given[name].flat[3] = np.nan
            refused = _refused_or_unread(tested, given, wanted)
            expect(refused, f"The attack must refuse a NaN in `{name}`: raise InputError.")


def _refused_or_unread(tested: TestedAttack, given: dict[str, Any], wanted: np.ndarray) -> bool:
    try:
        return np.array_equal(tested.one(**given), wanted)
    except InputError:
        return True


def _mean_auc(tested: TestedAttack, fleet: MadeUpFleet) -> float:
    return float(np.mean([roc(*row).auc for row in zip(tested.all(fleet), fleet.member, strict=True)]))
