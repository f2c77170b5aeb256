"""Which shadow models attack which target: leave-one-out over a fleet, or targets with shadows of their own.

Targets and shadows are two sources of signals; a pairing is all that an attack needs beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from quantleak.attacks.leave_one_out import equal_counts, leave_one_out
from quantleak.attacks.named import AttackKind, NamedAttack
from quantleak.attacks.recalibrate import CannotRecalibrate, affine_map, recalibrate
from quantleak.attacks.shadows import NotEnoughShadows

Attack = AttackKind | NamedAttack


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Signals of some models: phi, or residuals for regression.

    Attributes:
        pool: `[models, examples]` float64, on the examples whose membership is in question; of several aligned queries
            of each, such as an image and its mirror image, `[models, examples, queries]`.
        population: `[models, points]` float64, or `[models, points, queries]` likewise, on points that no model was
            trained on; None without any.
    """

    pool: np.ndarray
    population: np.ndarray | None = None

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> Signals:
        """A function of every signal."""
        population = None if self.population is None else function(self.population)
        return Signals(pool=function(self.pool), population=population)


@runtime_checkable
class Pairing(Protocol):
    """Which shadows attack which target; `quantleak.testing.check_pairing` says what holds of one."""

    @property
    def member(self) -> np.ndarray:
        """True membership bool `[T, N]` of each example in each target; never shown to an attack."""

    def scores(self, attack: Attack, targets: Signals, shadows: Signals) -> np.ndarray:
        """Scores `[T, N]`, larger = more likely a member, of an attack that reads these signals as they are.

        Raises:
            NotEnoughShadows: If some example has too few, or the attack needs a population and there is none.
        """

    def recalibrated(self, targets: Signals, shadows: Signals) -> Signals:
        """Each target's signals mapped onto those of the shadows that attack it, the map fitted on the population.

        Raises:
            CannotRecalibrate: If there is no population, or some target's map is undefined.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class LeaveOneOut:
    """Every model of a fleet is in turn the target of all others; see :func:`~quantleak.attacks.leave_one_out`.

    Attributes:
        member: bool `[models, N]`.
        seed: For the draw of equally many shadows per example.
    """

    member: np.ndarray
    seed: int

    def scores(self, attack: Attack, targets: Signals, shadows: Signals) -> np.ndarray:
        """Scores `[models, N]`; row m of `targets` and of `shadows` come from the same training run."""
        _require_population(attack, targets, shadows)
        return leave_one_out(
            attack,
            targets.pool,
            shadows.pool,
            self.member,
            population_targets=targets.population if attack.population else None,
            population_shadows=shadows.population if attack.population else None,
            seed=self.seed,
        )

    def recalibrated(self, targets: Signals, shadows: Signals) -> Signals:
        """See :func:`~quantleak.attacks.recalibrate`."""
        own, others = _populations(targets, shadows)
        return targets.map(lambda signals: recalibrate(signals, own, others))


@dataclass(frozen=True, kw_only=True, eq=False)
class Apart:
    """Targets attacked with shadow models of their own, all of them by the same.

    Attributes:
        member: bool `[T, N]`, of the targets.
        shadows_member: bool `[S, N]`, of the shadows.
        seed: For the draw of equally many shadows per example, where their number would give a target away.
    """

    member: np.ndarray
    shadows_member: np.ndarray
    seed: int

    def scores(self, attack: Attack, targets: Signals, shadows: Signals) -> np.ndarray:
        """Scores `[T, N]`, target by target."""
        _require_population(attack, targets, shadows)
        use, each = self._use, []
        for place, target in enumerate(targets.pool):
            others = {"use": use}
            if attack.population and targets.population is not None and shadows.population is not None:
                others["population_target"] = targets.population[place]
                others["population_shadows"] = shadows.population
            each.append(attack(target, shadows.pool, self.shadows_member, **others))
        return np.stack(each)

    def recalibrated(self, targets: Signals, shadows: Signals) -> Signals:
        """See :func:`~quantleak.attacks.affine_map`; one map per target, of all shadows."""
        own, others = _populations(targets, shadows)
        maps = [affine_map(each, others) for each in own]
        return targets.map(lambda signals: np.stack([to(each) for to, each in zip(maps, signals, strict=True)]))

    @cached_property
    def _use(self) -> np.ndarray:
        """Which shadows to read, `[S, N]`: all, or equally many per example where their number gives it away.

        If every example is in the same number of models, targets and shadows together, few IN shadows mean a member.
        """
        shadows = self.shadows_member
        totals = shadows.sum(0) + self.member.sum(0)
        exact = bool((totals == totals[0]).all()) and bool(shadows.any())
        keys = np.random.default_rng(self.seed).random(shadows.T.shape).argsort(axis=1)
        return np.ascontiguousarray(equal_counts(shadows.T, keys, exact).T)


def _require_population(attack: Attack, targets: Signals, shadows: Signals) -> None:
    if attack.population and (targets.population is None or shadows.population is None):
        raise NotEnoughShadows("needs population_target and population_shadows")


def _populations(targets: Signals, shadows: Signals) -> tuple[np.ndarray, np.ndarray]:
    if targets.population is None or shadows.population is None:
        raise CannotRecalibrate("recalibration needs signals on a population")
    return targets.population, shadows.population
