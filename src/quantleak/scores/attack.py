"""Every attack that an auditor's arrays permit, and the strongest of them, chosen on other data than it is shown on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter, ValidationError

from quantleak.attacks import (
    ATTACKS,
    Apart,
    Attack,
    Attacked,
    AttackKind,
    Choice,
    Mode,
    Signals,
    attack_all,
    installed_attacks,
    published,
)
from quantleak.auditing.settings import explain
from quantleak.errors import InputError
from quantleak.results import AttackResult, versions
from quantleak.scores.result import ScoresResult
from quantleak.scores.scores import Scores, read_scores, scores_of
from quantleak.store import identity_hash

log = logging.getLogger("quantleak")

DOUBTFUL = 0.4
"""An AUC of LOSS below which the sign of the signals is doubted even where few targets leave a long interval."""

USER_SUPPLIED = "user-supplied"
"""The mode of an attack whose shadows are the auditor's own."""

OWN_SCORES = AttackKind(name="scores", description="scores as they are", convention=None)


@dataclass(frozen=True, kw_only=True)
class ScoresSettings:
    """How own scores are evaluated.

    Attributes:
        seed: Of the draw of equally many shadows.
        level: Confidence level of every interval.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    seed: Annotated[int, Field(ge=0)] = 0
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95


DEFAULT = ScoresSettings()


def read_scores_settings(values: Mapping[str, Any]) -> ScoresSettings:
    """Settings from names and values, all problems reported at once.

    Raises:
        InputError: Unknown names, values of the wrong type or out of range.
    """
    try:
        return TypeAdapter(ScoresSettings).validate_python(dict(values))
    except ValidationError as error:
        raise InputError("\n".join(explain(error))) from error


def attack_scores(
    scores: Scores | Mapping[str, Any] | str | Path, *, settings: ScoresSettings = DEFAULT
) -> ScoresResult:
    """Run every attack that the arrays permit: LOSS, LiRA and RMIA under our conventions and under published ones.

    With several targets the strongest is chosen on one half of them and shown on the other; with one target its
    examples are halved.

    Args:
        scores: An NPZ file, arrays by name (see :func:`~quantleak.scores.scores.scores_of`), or checked arrays.
        settings: Of the intervals.

    Raises:
        InputError: Arrays that cannot be used, all problems at once.

    Example:
        >>> random = np.random.default_rng(0)
        >>> member = random.random((4, 200)) < 0.5
        >>> result = attack_scores({"scores": member + random.normal(size=member.shape), "member": member})
        >>> 0.7 < result.attacks[0].auc.value < 0.8
        True
    """
    if not isinstance(scores, Scores):
        scores = scores_of(scores) if isinstance(scores, Mapping) else read_scores(scores)
    found = attacked(scores, settings)
    attacks, strongest = found.attacks, found.choice
    for attack in attacks:
        if attack.reason is not None:
            log.info("%s cannot run: %s", attack.name, attack.reason)
    names = [attack.name for attack in attacks]
    identity = {"scores": scores.sha256, "settings": asdict(settings), "attacks": names}
    return ScoresResult(
        id=identity_hash(identity),
        identity=identity,
        source=scores.name,
        n=scores.sizes(),
        attacks=attacks,
        worst=found.worst,
        remarks=_remarks(scores, attacks, strongest),
        settings=asdict(settings),
        versions=versions(),
        examples=_examples(scores, found.scores[strongest.name]),
    )


def attacked(scores: Scores, settings: ScoresSettings = DEFAULT) -> Attacked:
    """Every attack that checked arrays permit; without shadows the scores themselves."""
    targets, shadows = Signals(pool=scores.target), scores.shadows
    if shadows is None:
        mode = Mode(name=USER_SUPPLIED, targets=targets, shadows=targets)
        pairing = Apart(member=scores.member, shadows_member=scores.member[:0], seed=settings.seed)
        attacks: list[Attack] = [OWN_SCORES]
    else:
        targets = Signals(pool=scores.target, population=shadows.population_target)
        references = Signals(pool=shadows.signals, population=shadows.population)
        mode = Mode(name=USER_SUPPLIED, targets=targets, shadows=references)
        pairing = Apart(member=scores.member, shadows_member=shadows.member, seed=settings.seed)
        attacks = [*ATTACKS, *published(), *installed_attacks()]
    return attack_all(attacks, [mode], pairing, task="binary", groups=scores.groups, level=settings.level)


def _examples(scores: Scores, strongest: np.ndarray) -> pd.DataFrame:
    """One row for each target and example, scores of the strongest attack."""
    targets, rows = scores.target.shape
    ids = np.arange(rows) if scores.ids is None else scores.ids
    return pd.DataFrame(
        {
            "target": np.repeat(np.arange(targets), rows),
            "example": np.tile(ids, targets),
            "member": scores.member.ravel(),
            "score": strongest.ravel(),
        }
    )


def _remarks(scores: Scores, attacks: list[AttackResult], strongest: Choice) -> list[str]:
    """What the reader should know about these arrays."""
    remarks = [
        f"The strongest attack was chosen on half of the {strongest.halved} and is shown on the other half.",
    ]
    if scores.shadows is not None:
        remarks += _about_signals(scores, attacks)
        inside = scores.shadows.member.sum(0)
        if not inside.any():
            remarks.append("No shadow was trained on any example: the attacks are offline.")
    return remarks


def _about_signals(scores: Scores, attacks: list[AttackResult]) -> list[str]:
    """Doubts whether the signals are phi."""
    remarks = []
    low, high = float(scores.target.min()), float(scores.target.max())
    kind = "probabilities" if low >= 0 and high <= 1 else "log probabilities" if high <= 0 else None
    if kind:
        remarks.append(
            f"The signals of the targets lie between {low:.3g} and {high:.3g}: are they {kind}? phi is expected."
        )
    loss = next((attack.auc for attack in attacks if attack.name == "loss"), None)
    if loss is not None and loss.value is not None and (loss.value < DOUBTFUL or (loss.high or 1.0) < 0.5):
        remarks.append(
            f"Members have lower signals than non-members (AUC {loss.text()}): are they losses? phi is larger where "
            "the model is more confident in the true label."
        )
    return remarks
