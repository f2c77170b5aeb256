"""A made-up fleet whose truth is known: signals of models on examples, with or without a trace of membership."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class MadeUpFleet:
    """Signals of a fleet whose examples are each in exactly half of the models.

    Attributes:
        pool: Signals [models, examples], nats.
        population: Signals [models, points] on points that no model was trained on.
        member: bool [models, examples].
    """

    pool: np.ndarray
    population: np.ndarray
    member: np.ndarray


def made_up_fleet(models: int, examples: int, *, shift: float, log_probability: bool, seed: int = 0) -> MadeUpFleet:
    """Log odds `N(m_i + shift * member, 1)` with m_i from `N(0, 3^2)`, or the log probabilities that belong to them.

    Without a shift members and non-members are exchangeable: every attack has AUC 1/2.
    """
    rng = np.random.default_rng(seed)
    member = rng.random((models, examples)).argsort(axis=0) < models // 2
    pool = rng.normal(0, 3, examples) + rng.normal(size=member.shape) + shift * member
    population = rng.normal(0, 3, examples) + rng.normal(size=member.shape)
    if log_probability:
        pool, population = -np.logaddexp(0, -pool), -np.logaddexp(0, -population)
    return MadeUpFleet(pool=pool, population=population, member=member)
