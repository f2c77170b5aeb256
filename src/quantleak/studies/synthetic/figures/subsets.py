"""Ranks of the quantizers by the mean of a score over random subsets of the models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from quantleak.studies.common.ranking import Floats, mean, sizes_up_to
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED

SUBSETS = 100
CONFUSED = (20, 50)
"""Numbers of models whose ranks are set against those of all."""

PLACES = range(1, len(QUANTIZED) + 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """Ranks of the quantizers by mean r_Q, 1 = most private.

    Attributes:
        sizes: Numbers of models.
        subsets: `[sizes, subsets, 8]`.
        all: By all models `[8]`.
    """

    sizes: list[int]
    subsets: Floats
    all: Floats

    def order(self) -> list[str]:
        """The quantizers, the most private first."""
        return [QUANTIZED[place] for place in np.argsort(self.all, kind="stable")]


def ranked(values: Floats, extra: tuple[int, ...] = CONFUSED, seed: int = 0) -> Ranked:
    """Ranks by the mean of `values` `[models, 8]` over random subsets, the beginnings of 100 random orders."""
    models = len(values)
    sizes = sorted({*sizes_up_to(models)[::2], *(size for size in extra if size < models), models})
    orders = np.argsort(np.random.default_rng(seed).random((SUBSETS, models)), axis=1)
    means = np.stack([mean(values[orders[:, :size]], 1) for size in sizes])
    return Ranked(sizes=sizes, subsets=_ranks(means), all=_ranks(mean(values, 0)))


def _ranks(means: Floats) -> Floats:
    return np.asarray(stats.rankdata(-means, axis=-1))
