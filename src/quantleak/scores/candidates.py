"""Every attack that an auditor's arrays permit, run on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantleak.attacks import RMIA, BaVarIA, LiRA, NamedAttack, NotEnoughShadows, installed_attacks, log_probability
from quantleak.attacks.leave_one_out import equal_counts
from quantleak.auditing.attacks import ATTACKS, AttackKind
from quantleak.scores.scores import Scores, Shadows


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One attack on an auditor's arrays.

    Attributes:
        name: Its name.
        convention: Its settings; empty for an attack without any.
        scores: `[T, N]`; None where it could not run.
        reason: Why not.
    """

    name: str
    convention: dict[str, Any]
    scores: np.ndarray | None
    reason: str | None = None


def candidates(scores: Scores, seed: int) -> Iterator[Candidate]:
    """Each attack in turn; without shadows the scores themselves.

    Args:
        scores: Checked arrays.
        seed: For the draw of equally many shadows.
    """
    if scores.shadows is None:
        yield Candidate(name="scores", convention={}, scores=scores.target)
        return
    use = _use(scores, scores.shadows, seed)
    for kind in kinds():
        try:
            found = _scores_of(kind, scores.target, scores.shadows, use)
        except NotEnoughShadows as error:
            yield Candidate(name=kind.name, convention=kind.to_dict(), scores=None, reason=str(error))
            continue
        yield Candidate(name=kind.name, convention=kind.to_dict(), scores=found)


def kinds() -> list[AttackKind | NamedAttack]:
    """Our own attacks, the conventions of published works that differ from them, and what other packages offer."""
    found: list[AttackKind | NamedAttack] = list(ATTACKS)
    seen = {kind.convention for kind in ATTACKS}
    for family in (LiRA, BaVarIA, RMIA):
        for preset in family.presets():
            if (convention := family.preset(preset)) not in seen:
                seen.add(convention)
                name = f"{family.name}-{preset}"
                found.append(AttackKind(name=name, description=f"conventions of {preset}", convention=convention))
    return [*found, *installed_attacks()]


def _scores_of(kind: AttackKind | NamedAttack, targets: np.ndarray, shadows: Shadows, use: np.ndarray) -> np.ndarray:
    """Scores `[T, N]` of one attack, target by target."""
    if kind.population and shadows.population is None:
        raise NotEnoughShadows("needs population_target and population_shadows")
    signal = log_probability if kind.signal == "log_probability" else np.asarray
    references = signal(shadows.signals)
    each = []
    for place, target in enumerate(targets):
        others = {"use": use}
        if kind.population and shadows.population is not None and shadows.population_target is not None:
            others["population_target"] = signal(shadows.population_target[place])
            others["population_shadows"] = signal(shadows.population)
        each.append(kind(signal(target), references, shadows.member, **others))
    return np.stack(each)


def _use(scores: Scores, shadows: Shadows, seed: int) -> np.ndarray:
    """Which shadows to read, `[S, N]`: all, or equally many for each example where their number would give it away.

    If every example is in the same number of models, targets and shadows together, then few IN shadows mean a member.
    """
    totals = shadows.member.sum(0) + scores.member.sum(0)
    exact = bool((totals == totals[0]).all()) and bool(shadows.member.any())
    keys = np.random.default_rng(seed).random(shadows.member.T.shape).argsort(axis=1)
    return np.ascontiguousarray(equal_counts(shadows.member.T, keys, exact).T)
