"""An auditor's own arrays: signals of target and shadow models on examples, or scores of an attack of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quantleak.data.source import open_source
from quantleak.data.tabular.npz import load_arrays
from quantleak.errors import InputError, nearest
from quantleak.scores.checks import Checks

WITH_SHADOWS = ("target", "target_member", "shadows", "shadows_member")
POPULATION = ("population_target", "population_shadows")
WITHOUT = ("scores", "member")
EXAMPLE_ID = "example_id"
SIGNAL = (
    "phi, the log odds of the true label in nats: ln p - ln(1 - p), from logits z_y - logsumexp of the others "
    "(quantleak.attacks.phi); larger = more confident"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shadows:
    """Shadow models, and the population where it is given.

    Attributes:
        signals: `[S, N]` phi.
        member: `[S, N]` bool, whether each shadow was trained on each example.
        population: `[S, M]` phi on points that no model was trained on; None without.
        population_target: `[T, M]` the same of the targets.
    """

    signals: np.ndarray
    member: np.ndarray
    population: np.ndarray | None = None
    population_target: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Checked arrays of T targets on N examples.

    Attributes:
        name: Where they came from.
        sha256: Of their content.
        target: `[T, N]` float64: phi, or without shadows any scores of which larger = more likely a member.
        member: `[T, N]` bool, whether each target was trained on each example.
        shadows: None where only scores are given.
        ids: `[N]`, equal values mark rows of one example, which are drawn together; None if every row is its own.
    """

    name: str
    sha256: str
    target: np.ndarray
    member: np.ndarray
    shadows: Shadows | None = None
    ids: np.ndarray | None = field(default=None)

    @property
    def groups(self) -> np.ndarray | None:
        """Codes `[N]` of the examples; None where no example has two rows."""
        if self.ids is None:
            return None
        codes = np.unique(self.ids, return_inverse=True)[1]
        return codes if codes.max() + 1 < len(codes) else None

    def sizes(self) -> dict[str, int]:
        """How many of everything."""
        shadows = 0 if self.shadows is None else len(self.shadows.signals)
        population = 0 if self.shadows is None or self.shadows.population is None else self.shadows.population.shape[1]
        rows, groups = self.target.shape[1], self.groups
        return {
            "targets": len(self.target),
            "shadows": shadows,
            "rows": rows,
            "examples": rows if groups is None else int(groups.max()) + 1,
            "members": int(self.member.sum(1).mean()),
            "population": population,
        }


def read_scores(path: str | Path) -> Scores:
    """The arrays of an NPZ file, read without unpickling anything; see :func:`scores_of`.

    Raises:
        InputError: A file that is no NPZ file or damaged, or arrays that cannot be used, all problems at once.
    """
    source = open_source(path)
    if source.kind != "npz":
        raise InputError(f"{source.name!r} is no .npz file. Save the arrays with numpy.savez: {_forms()}")
    return scores_of(load_arrays(source), name=source.name)


def scores_of(arrays: Mapping[str, Any], *, name: str = "arrays") -> Scores:
    """Scores from arrays by name; either of two forms.

    With shadows: `target` `[N]` or `[T, N]`, `target_member` of the same shape, `shadows` `[S, N]`, `shadows_member`
    `[S, N]`; for RMIA also `population_target` `[M]` or `[T, M]` and `population_shadows` `[S, M]`. All signals are
    phi, the log odds of the true label in nats. Without: `scores` `[N]` or `[T, N]`, larger = more likely a member,
    and `member` of the same shape. In both `example_id` `[N]` may mark rows of one example.

    Args:
        arrays: By name.
        name: What the result calls them.

    Raises:
        InputError: Missing, unknown or contradictory arrays, types, shapes, NaN: all problems at once.

    Example:
        >>> scores_of({"scores": [0.1, 0.7, 0.4, 0.2], "member": [0, 1, 1, 0]}).target.shape
        (1, 4)
    """
    checks = Checks({key: np.asarray(value) for key, value in arrays.items()})
    shadowed = bool({"target", "shadows"} & set(arrays)) or "scores" not in arrays
    wanted = WITH_SHADOWS if shadowed else WITHOUT
    _check_names(checks, wanted, (*POPULATION, EXAMPLE_ID) if shadowed else (EXAMPLE_ID,))
    target, member = checks.table(wanted[0]), checks.memberships(wanted[1], like=wanted[0])
    shadows = _shadows(checks, target) if shadowed else None
    if shadowed:
        checks.require_squares((*WITH_SHADOWS, *POPULATION))
    ids = checks.labels(EXAMPLE_ID, like=wanted[0])
    if checks.problems:
        listing = "\n".join(f"- {problem}" for problem in checks.problems)
        raise InputError(f"{name} cannot be attacked:\n{listing}\n{_forms()}")
    assert target is not None
    assert member is not None
    return Scores(name=name, sha256=_digest(checks.arrays), target=target, member=member, shadows=shadows, ids=ids)


def _shadows(checks: Checks, target: np.ndarray | None) -> Shadows | None:
    signals = checks.table("shadows", columns_of="target", rows=True)
    member = checks.memberships("shadows_member", like="shadows", both=False)
    given = [name for name in POPULATION if name in checks.arrays]
    if len(given) == 1:
        checks.problems.append(f"{given[0]} comes without {(set(POPULATION) - set(given)).pop()}; RMIA needs both.")
    population_target = checks.table("population_target", rows_of="target")
    population = checks.table("population_shadows", columns_of="population_target", rows_of="shadows", rows=True)
    if target is None or signals is None or member is None:
        return None
    return Shadows(signals=signals, member=member, population=population, population_target=population_target)


def _check_names(checks: Checks, wanted: tuple[str, ...], optional: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in checks.arrays]
    unknown = [name for name in checks.arrays if name not in (*wanted, *optional)]
    for name in missing:
        advice = " Give zeros if no shadow was trained on any example." if name == "shadows_member" else ""
        checks.problems.append(f"{name} is missing.{advice}")
    for name in unknown:
        other = {*WITH_SHADOWS, *POPULATION, *WITHOUT, EXAMPLE_ID}
        belongs = " It belongs to the other form." if name in other else nearest(name, (*missing, *optional))
        checks.problems.append(f"{name} is not an input.{belongs}")


def _forms() -> str:
    return (
        f"Expected either {', '.join(WITH_SHADOWS)} [, {', '.join(POPULATION)}], whose signals are {SIGNAL}; or "
        f"{', '.join(WITHOUT)}, larger score = more likely a member. Both may have {EXAMPLE_ID}."
    )


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].shape} {arrays[name].dtype} ".encode())
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()
