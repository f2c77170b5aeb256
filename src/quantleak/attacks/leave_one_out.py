"""Every model of a fleet attacked in turn, the others its shadows, without revealing membership by counting shadows.

On an exact half design of K models an example has K/2 - 1 IN shadows among the K - 1 others if the target is a member,
K/2 if it is not: the fit itself would know. Measured without any signal, online LiRA then has AUC .43 at K = 8 instead
of .50: leakage is under-reported. So for every example as many IN and OUT shadows are drawn as every example has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quantleak.arrays import mask
from quantleak.attacks.shadows import finite
from quantleak.errors import InputError

Attack = Callable[..., np.ndarray]


def leave_one_out(
    attack: Attack,
    targets: np.ndarray,
    shadows: np.ndarray,
    member: np.ndarray,
    *,
    population_targets: np.ndarray | None = None,
    population_shadows: np.ndarray | None = None,
    seed: int = 0,
    balance: bool | None = None,
) -> np.ndarray:
    """Scores of all K models, each attacked with the K - 1 others as shadows; larger = more likely a member.

    For target t row t is taken out of `shadows`, `member` and `population_shadows` before the attack sees them, and
    `member[t]` has no influence on row t of the result, neither directly nor through the number of IN shadows.

    Args:
        attack: `attack(target [N], shadows [K - 1, N], member [K - 1, N], *, use [K - 1, N])` -> scores [N], such as
            `functools.partial(lira, convention=...)`; with populations also `population_target [M]` and
            `population_shadows [K - 1, M]`, such as `rmia`.
        targets: Signals of the attacked (quantized) models, [K, N] or [K, N, Q].
        shadows: Signals to fit on, the same shape: the full-precision models' (transfer) or `targets` (adaptive).
        member: [K, N] bool, whether each model was trained on each example.
        population_targets: [K, M] signals of the attacked models on points nobody was trained on.
        population_shadows: [K, M] the same of the shadows.
        seed: Decides which shadows are left out for equal counts, from the example's position on. Equal seeds leave
            out the same shadows, so that two attacks or two quantizers compare like with like.
        balance: Whether to cut every example to the same number of IN and of OUT shadows. None: where these numbers
            differ by at most one over the examples, as in an exact design. Independent coins need no cut.

    Returns:
        Scores [K, N], float64.

    Raises:
        InputError: If there are fewer than two models, or shapes disagree.
        NotEnoughShadows: If the attack finds too few for some example.
    """
    targets, shadows = finite(targets, "targets"), finite(shadows, "shadows")
    models, examples = _check_models(targets, shadows)
    member = mask(member, "member", (models, examples))
    _check_population(population_targets, population_shadows, models)
    # Models last in memory: taking one out, and fitting along that axis, then copy nothing twice.
    by_example, members = _models_last(shadows), _models_last(member)
    population = None if population_shadows is None else _models_last(population_shadows)
    keys = np.random.default_rng(seed).random((examples, models)).argsort(axis=1).astype(np.int16)
    scores = np.empty((models, examples))
    for t in range(models):
        inside = np.delete(members, t, axis=1)
        extra = {"use": equal_counts(inside, np.delete(keys, t, axis=1), balance).T}
        if population is not None and population_targets is not None:
            extra |= {"population_target": population_targets[t], "population_shadows": _without(population, t)}
        scores[t] = attack(targets[t], _without(by_example, t), inside.T, **extra)
    return scores


def equal_counts(inside: np.ndarray, keys: np.ndarray, balance: bool | None) -> np.ndarray:
    """Which shadows to read, [N, S]: per example those with the smallest keys, equally many IN and OUT everywhere.

    Everything here is a function of the shadows' rows alone.

    Args:
        inside: [N, S] bool, whether each shadow was trained on each example.
        keys: [N, S] distinct within each row, drawn at random.
        balance: Whether to cut; None only where the numbers of IN shadows differ by at most one over the examples.
    """
    counts = inside.sum(axis=1)
    most, least = int(counts.max()), int(counts.min())
    if balance is False or most == least or (balance is None and most > least + 1):
        return np.ones_like(inside)
    return np.asarray(_smallest(keys, inside, least) | _smallest(keys, ~inside, inside.shape[1] - most))


def _smallest(keys: np.ndarray, among: np.ndarray, count: int) -> np.ndarray:
    """The `count` smallest distinct keys of each row among the marked ones, as a mask."""
    if count == 0:
        return np.zeros_like(among)
    masked = keys + ~among * keys.dtype.type(keys.shape[1] + 1)
    return np.asarray(among & (masked <= np.sort(masked, axis=1)[:, count - 1 : count]))


def _models_last(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


def _without(models_last: np.ndarray, t: int) -> np.ndarray:
    return np.moveaxis(np.delete(models_last, t, axis=-1), -1, 0)


def _check_models(targets: np.ndarray, shadows: np.ndarray) -> tuple[int, int]:
    if targets.shape != shadows.shape or targets.ndim not in (2, 3) or len(targets) < 2:
        raise InputError(
            f"leave_one_out needs targets and shadows of one shape [models, examples] with at least 2 models, "
            f"got {targets.shape} and {shadows.shape}; row t of both must come from the same training run."
        )
    return targets.shape[0], targets.shape[1]


def _check_population(targets: np.ndarray | None, shadows: np.ndarray | None, models: int) -> None:
    if targets is None and shadows is None:
        return
    if targets is None or shadows is None:
        raise InputError("leave_one_out needs both population_targets and population_shadows, or neither.")
    if targets.shape != shadows.shape or len(targets) != models:
        raise InputError(
            f"population_targets {targets.shape} and population_shadows {shadows.shape} must be of one shape, "
            f"with a row for each of the {models} models."
        )
