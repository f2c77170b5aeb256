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

from quantleak.attacks import Metrics, evaluate, worst_case
from quantleak.attacks import Worst as Strongest
from quantleak.auditing.attacks import FPRS
from quantleak.auditing.settings import explain
from quantleak.errors import InputError
from quantleak.results import AttackResult, Estimate, Number, Worst, versions
from quantleak.scores.candidates import Candidate, candidates
from quantleak.scores.result import ScoresResult
from quantleak.scores.scores import Scores, read_scores, scores_of
from quantleak.store import identity_hash

log = logging.getLogger("quantleak")

DOUBTFUL = 0.4
"""An AUC of LOSS below which the sign of the signals is doubted even where few targets leave a long interval."""

GIVEN = "given"
"""The mode of an attack whose shadows are the auditor's own."""


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
    """Settings from names and values, all problems told at once.

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
    values: dict[str, np.ndarray] = {}
    attacks: list[AttackResult] = []
    for candidate in candidates(scores, settings.seed):
        if candidate.scores is None:
            log.info("%s cannot run: %s", candidate.name, candidate.reason)
            attacks.append(_without(candidate))
            continue
        values[candidate.name] = candidate.scores
        metrics = evaluate(candidate.scores, scores.member, fprs=FPRS, groups=scores.groups, level=settings.level)
        attacks.append(_with(candidate, metrics))
    strongest = worst_case(values, scores.member, fprs=FPRS, groups=scores.groups, level=settings.level)
    names = [attack.name for attack in attacks]
    identity = {"scores": scores.sha256, "settings": asdict(settings), "attacks": names}
    return ScoresResult(
        id=identity_hash(identity),
        identity=identity,
        source=scores.name,
        n=scores.sizes(),
        attacks=attacks,
        worst=_worst(strongest),
        remarks=_remarks(scores, attacks, strongest),
        settings=asdict(settings),
        versions=versions(),
        examples=_examples(scores, values[strongest.name]),
    )


def _without(candidate: Candidate) -> AttackResult:
    none = Number(value=None, reason=candidate.reason)
    return AttackResult(
        name=candidate.name,
        mode=GIVEN,
        convention=candidate.convention,
        auc=none,
        tpr={},
        balanced_accuracy=none,
        mis_bound=none,
        reason=candidate.reason,
    )


def _with(candidate: Candidate, metrics: Metrics) -> AttackResult:
    return AttackResult(
        name=candidate.name,
        mode=GIVEN if candidate.convention else "none",
        convention=candidate.convention,
        auc=_number(metrics.auc),
        tpr={f"{fpr:g}": _number(estimate) for fpr, estimate in metrics.tpr.items()},
        balanced_accuracy=_number(metrics.balanced_accuracy),
        mis_bound=_number(metrics.mis_bound),
        ppv={
            f"{fpr:g}": {f"{prior:g}": _number(estimate) for prior, estimate in priors.items()}
            for fpr, priors in metrics.ppv.items()
        },
    )


def _worst(strongest: Strongest) -> Worst:
    found, auc = strongest.estimate, _number(strongest.metrics.auc)
    return Worst(
        value=found.value,
        low=found.low,
        high=found.high,
        reason=found.reason,
        name=strongest.name,
        mode=GIVEN,
        fpr=strongest.fpr,
        auc=auc,
    )


def _number(estimate: Estimate) -> Number:
    return Number(value=estimate.value, low=estimate.low, high=estimate.high, reason=estimate.reason)


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


def _remarks(scores: Scores, attacks: list[AttackResult], strongest: Strongest) -> list[str]:
    """What the reader should know about these arrays."""
    told = [
        f"The strongest attack was chosen on half of the {strongest.halved} and is shown on the other half.",
    ]
    if scores.shadows is not None:
        told += _about_signals(scores, attacks)
        inside = scores.shadows.member.sum(0)
        if not inside.any():
            told.append("No shadow was trained on any example: the attacks are offline.")
    return told


def _about_signals(scores: Scores, attacks: list[AttackResult]) -> list[str]:
    """Doubts whether the signals are phi."""
    told = []
    low, high = float(scores.target.min()), float(scores.target.max())
    kind = "probabilities" if low >= 0 and high <= 1 else "log probabilities" if high <= 0 else None
    if kind:
        told.append(
            f"The signals of the targets lie between {low:.3g} and {high:.3g}: are they {kind}? phi is asked for."
        )
    loss = next((attack.auc for attack in attacks if attack.name == "loss"), None)
    if loss is not None and loss.value is not None and (loss.value < DOUBTFUL or (loss.high or 1.0) < 0.5):
        told.append(
            f"Members have lower signals than non-members (AUC {loss.text()}): are they losses? phi is larger where "
            "the model is more confident in the true label."
        )
    return told
