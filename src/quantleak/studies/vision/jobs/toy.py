"""A world without networks in which quantization only maps scores: no information is lost, yet float shadows fail.

Scores of K shadows and one target on N examples are normal around a mean of each example, which is itself normal with
standard deviation 3, and are one unit larger on members. The target's scores are then mapped by s -> s / 2 + 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantleak.attacks import LiRA, affine_map, lira, roc
from quantleak.store import Arrays

SPREAD = 3.0
SHIFT = 1.0
SCALE, OFFSET = 0.5, 1.0
ATTACKS = {
    "online": LiRA(),
    "online, one variance": LiRA(variance="global"),
    "offline, two-sided": LiRA(mode="offline", tail="two"),
    "offline, one-sided": LiRA(mode="offline"),
}
MATCHED, MAPPED, BOTH, INVERTED = "not mapped", "target mapped", "target and shadows mapped", "mapped, then inverted"


@dataclass(frozen=True)
class ToyJob:
    """The AUC of every attack on the target.

    Attributes:
        seed: Draws the world.
        shadows: K; half of them are trained on each example.
        examples: N, half of them members of the target; and as many known non-members.
    """

    seed: int
    shadows: int = 64
    examples: int = 20_000

    def __call__(self, shared: object) -> tuple[Arrays, dict[str, dict[str, float]]]:
        """By what is mapped, by attack."""
        random = np.random.default_rng(self.seed)
        member = np.arange(self.examples) < self.examples // 2
        inside = random.permuted(np.arange(self.shadows)[:, None].repeat(self.examples, 1), axis=0) < self.shadows // 2
        shadows, target = self._drawn(random, inside, member)
        nobody = np.zeros_like(inside)
        others, known = self._drawn(random, nobody, nobody[0])
        inverse = affine_map(mapped(known), others)
        worlds = {
            MATCHED: (target, shadows),
            MAPPED: (mapped(target), shadows),
            BOTH: (mapped(target), mapped(shadows)),
            INVERTED: (inverse(mapped(target)), shadows),
        }
        aucs = {
            name: {
                attack: float(roc(lira(one, all_of_them, inside, convention=convention), member).auc)
                for attack, convention in ATTACKS.items()
            }
            for name, (one, all_of_them) in worlds.items()
        }
        return {}, aucs

    def _drawn(
        self, random: np.random.Generator, inside: np.ndarray, member: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores of the shadows `[K, N]` and of the target `[N]`."""
        means = SPREAD * random.standard_normal(self.examples)
        shadows = means + SHIFT * inside + random.standard_normal(inside.shape)
        return shadows, means + SHIFT * member + random.standard_normal(self.examples)


def mapped(scores: np.ndarray) -> np.ndarray:
    """What quantization does to scores in this world."""
    return SCALE * scores + OFFSET
