"""The list of attacks: ours under their conventions, published conventions, and those that other packages offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from quantleak.attacks.bavaria import BaVarIA, bavaria
from quantleak.attacks.lira import LiRA, lira
from quantleak.attacks.loss import loss_attack
from quantleak.attacks.per_example import per_example
from quantleak.attacks.rmia import RMIA, rmia
from quantleak.errors import InputError, nearest
from quantleak.plugins import load, offered, package_of

GROUP = "quantleak.attacks"
"""Entry-point group: a package that declares `my-attack = "package.module:attack"` there is found by that name."""

Signal = Literal["log_odds", "log_probability"]


@dataclass(frozen=True, kw_only=True)
class NamedAttack:
    """A function of signals that scores examples, larger = more likely a member of the target's training set.

    Attributes:
        name: The word that chooses it; that of its entry point.
        description: One line for `quantleak list attacks`.
        score: `score(target [N], shadows [S, N], member [S, N], *, use [S, N])` -> `[N]`, as `leave_one_out` calls it;
            with `population` also `population_target [M]` and `population_shadows [S, M]`. `member` says who of the
            shadows was trained on each example, `use` which of them may be read. The target's own membership is not
            given.
        signal: What it reads. `log_odds`: phi, the log odds of the true label (regression: the signal of
            `residual_phi`); `log_probability`: ln p of the true label (regression: the log density).
        population: Whether it also reads the same signals of points that no model was trained on.
        convention: Its settings, written into the result.

    Raises:
        InputError: If `signal` is not one of the two.

    Example:
        >>> attack = NamedAttack(
        ...     name="mean-gap",
        ...     description="signal above the mean shadow",
        ...     score=lambda target, shadows, member, *, use: target - shadows.mean(axis=0),
        ... )
        >>> shadows = np.array([[0.0, 1.0], [2.0, 1.0]])
        >>> attack(np.array([3.0, 1.0]), shadows, shadows > 1, use=shadows > -1).tolist()
        [2.0, 0.0]
    """

    name: str
    description: str
    score: Callable[..., np.ndarray]
    signal: Signal = "log_odds"
    population: bool = False
    convention: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.signal not in get_args(Signal):
            raise InputError(
                f"NamedAttack(signal=...) must be one of {', '.join(get_args(Signal))}, got {self.signal!r}."
            )

    def __call__(self, target: np.ndarray, shadows: np.ndarray, member: np.ndarray, **others: np.ndarray) -> np.ndarray:
        """The scores of `score`, checked.

        Raises:
            InputError: If they are not one finite-or-infinite number for each example of the target.
        """
        scores = np.asarray(self.score(target, shadows, member, **others), dtype=np.float64)
        if scores.shape != target.shape[:1] or np.isnan(scores).any():
            raise InputError(
                f"The attack '{self.name}' must give one number for each of {target.shape[0]} examples, got shape "
                f"{scores.shape} with {np.isnan(scores).sum()} NaN; quantleak.testing.check_attack finds the cause."
            )
        return scores

    def to_dict(self) -> dict[str, Any]:
        """Name and settings, for a result."""
        return {"name": self.name, **self.convention}


def installed_attack(name: str) -> NamedAttack:
    """The attack that another package offers under this name.

    Raises:
        InputError: If there is none, or what it offers is not a `NamedAttack` of that name.
    """
    points = offered(GROUP)
    if name not in points:
        raise InputError(
            f"No installed package offers the attack '{name}'.{nearest(name, points)} `quantleak list attacks` shows "
            "what there is; the built-in ones always run."
        )
    attack = load(points[name])
    if not isinstance(attack, NamedAttack) or attack.name != name:
        raise InputError(
            f"'{name}' of the package {package_of(points[name])} ({points[name].value}) is not a "
            f"quantleak.attacks.NamedAttack of that name; ask its author."
        )
    return attack


def installed_attacks() -> list[NamedAttack]:
    """Every attack that other packages offer, by name."""
    return [installed_attack(name) for name in offered(GROUP)]


@dataclass(frozen=True, kw_only=True)
class AttackKind:
    """One attack of ours: LiRA, BaVarIA or RMIA under one convention, or LOSS without any."""

    name: str
    description: str
    convention: LiRA | BaVarIA | RMIA | None

    @property
    def signal(self) -> Signal:
        """What it reads; see `NamedAttack`."""
        return "log_probability" if isinstance(self.convention, RMIA) else "log_odds"

    @property
    def population(self) -> bool:
        """Whether it reads signals of the population too."""
        return isinstance(self.convention, RMIA)

    def __call__(self, target: np.ndarray, shadows: np.ndarray, member: np.ndarray, **others: np.ndarray) -> np.ndarray:
        """Scores of one target, as a :class:`NamedAttack` returns them."""
        if isinstance(self.convention, LiRA):
            return lira(target, shadows, member, convention=self.convention, **others)
        if isinstance(self.convention, BaVarIA):
            return bavaria(target, shadows, member, convention=self.convention, **others)
        if isinstance(self.convention, RMIA):
            return rmia(target, shadows, member, convention=self.convention, **others)
        return loss_attack(target)

    def to_dict(self) -> dict[str, Any]:
        """The convention for a result."""
        return {} if self.convention is None else self.convention.to_dict()


ATTACKS = (
    AttackKind(name="loss", description="how confident in the true label; no shadows", convention=None),
    AttackKind(name="lira-online", description="likelihood ratio of IN against OUT shadows", convention=LiRA()),
    AttackKind(
        name="lira-offline", description="how unusually confident, OUT shadows only", convention=LiRA(mode="offline")
    ),
    AttackKind(
        name="lira-offline-two-sided",
        description="how unusual, either way, OUT shadows only",
        convention=LiRA(mode="offline", tail="two"),
    ),
    AttackKind(
        name="bavaria-online",
        description="likelihood ratio of IN against OUT shadows of uncertain mean and variance",
        convention=BaVarIA(),
    ),
    AttackKind(
        name="bavaria-offline",
        description="how unusually confident, OUT shadows of uncertain mean and variance",
        convention=BaVarIA(mode="offline"),
    ),
    AttackKind(
        name="rmia-online", description="ratio to IN and OUT references, against a population", convention=RMIA()
    ),
    AttackKind(
        name="rmia-offline",
        description="ratio to OUT references, against a population",
        convention=RMIA(mode="offline"),
    ),
)


PER_EXAMPLE = NamedAttack(name="per-example", description="p-value of every example by itself", score=per_example)
"""Not among those whose ROC is pooled over examples: its threshold claims the same rate for every one of them."""


def extra_attack(name: str) -> NamedAttack:
    """The attack of another package that a setting names.

    Raises:
        InputError: If it is not installed, cannot be used, or has the name of one of ours.
    """
    if name in {kind.name for kind in ATTACKS}:
        raise InputError(f"'{name}' is the name of a built-in attack, which always runs; leave it out.")
    return installed_attack(name)


def published() -> list[AttackKind]:
    """Our attacks under the conventions of published works that differ from those of `ATTACKS`."""
    seen = {kind.convention for kind in ATTACKS}
    found: list[AttackKind] = []
    for family in (LiRA, BaVarIA, RMIA):
        for preset in family.presets():
            if (convention := family.preset(preset)) not in seen:
                seen.add(convention)
                name = f"{family.name}-{preset}"
                found.append(AttackKind(name=name, description=f"conventions of {preset}", convention=convention))
    return found
