"""Worlds whose truth is known, ways to choose the shadows of a target, and AUCs of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy import special, stats

from quantleak.attacks import leave_one_out, roc
from quantleak.data import membership
from quantleak.theory import erm_mis
from quantleak.theory.exact import Erm
from quantleak.theory.exact.enumeration import Compositions, multinomial

Attack = Callable[..., np.ndarray]


class World(Protocol):
    """Draws the signals of models whose training sets are known."""

    @property
    def examples(self) -> int: ...

    def signals(self, member: np.ndarray, random: np.random.Generator) -> np.ndarray: ...


@dataclass(frozen=True)
class Gaussian:
    """Signal = mean + scale (shift member + noise), each [N]."""

    mean: np.ndarray
    shift: np.ndarray
    scale: np.ndarray

    @classmethod
    def draw(cls, examples: int, largest_shift: float, random: np.random.Generator) -> Gaussian:
        """Means N(0, 9), shifts uniform on [0, largest], scales lognormal(0, 0.5)."""
        mean, scale = random.normal(0, 3, examples), random.lognormal(0, 0.5, examples)
        return cls(mean=mean, shift=random.uniform(0, largest_shift, examples), scale=scale)

    @property
    def examples(self) -> int:
        return len(self.mean)

    def signals(self, member: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return self.mean + self.scale * (self.shift * member + random.normal(size=member.shape))

    def known_variance(
        self, target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray | None = None
    ) -> np.ndarray:
        """LiRA whose variances are the true ones: runs from one IN and one OUT shadow on, hence at K = 4."""
        used = np.ones_like(member) if use is None else use
        inside, outside = ((shadows * side).sum(0) / side.sum(0) for side in (member & used, ~member & used))
        return ((target - outside) ** 2 - (target - inside) ** 2) / (2 * self.scale**2)

    @property
    def best_auc(self) -> float:
        """AUC of the best attack, mean over examples."""
        return float(stats.norm.cdf(self.shift / np.sqrt(2)).mean())


@dataclass(frozen=True)
class Pool:
    """A pool of 12 examples and empirical-risk minimisers over the 64 sign vectors of 6 weights; signal y w x.

    A model's training set under `membership` is any of the 2^12 subsets with equal probability: all are enumerated.
    """

    features: np.ndarray
    labels: np.ndarray

    @classmethod
    def draw(cls, random: np.random.Generator) -> Pool:
        return cls(features=random.normal(size=(12, 6)), labels=random.choice([-1.0, 1.0], 12))

    @property
    def examples(self) -> int:
        return len(self.labels)

    @cached_property
    def subsets(self) -> np.ndarray:
        """Every training set, bool [4096, 12]; number = binary code."""
        return (np.arange(2**self.examples)[:, None] >> np.arange(self.examples) & 1).astype(bool)

    @cached_property
    def table(self) -> np.ndarray:
        """Signals of the model trained on each subset, [4096, 12]."""
        weights = 1.0 - 2.0 * (np.arange(64)[:, None] >> np.arange(6) & 1)
        margins = weights @ self.features.T * self.labels
        losses = np.rint(1e4 * np.logaddexp(0, -margins)).astype(int)
        chosen = Erm(losses=losses).law(self.subsets.astype(int)).argmax(1)
        return np.asarray(margins[chosen].round(9))

    def signals(self, member: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return self.table[member @ (1 << np.arange(self.examples))]

    @cached_property
    def laws(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of each example, over the signals it can have: likelihood ratio IN to OUT, probability IN, OUT."""
        found = []
        for column, member in zip(self.table.T, self.subsets.T, strict=True):
            _, place = np.unique(column, return_inverse=True)
            law_in, law_out = (np.bincount(place, side) / side.sum() for side in (member, ~member))
            ratio = np.where(law_out > 0, law_in / np.where(law_out > 0, law_out, 1.0), 1e6)
            found.append((ratio.round(12), law_in, law_out))
        return found

    @cached_property
    def best(self) -> tuple[float, float]:
        """Exact AUC of the best attack that reads signals: one ranking of all examples, and the mean over examples."""
        ratio, inside, outside = (np.concatenate(parts) for parts in zip(*self.laws, strict=True))
        pooled = exact_auc(ratio, inside / self.examples, outside / self.examples)
        return pooled, float(np.mean([exact_auc(*law) for law in self.laws]))

    def record_fprs(self, alpha: float) -> np.ndarray:
        """Each example's FPR, [12], where the best attack has FPR alpha over all, ties decided by a coin."""
        ratio, _, outside = (np.concatenate(parts) for parts in zip(*self.laws, strict=True))
        level, place = np.unique(-ratio, return_inverse=True)
        mass = np.bincount(place, outside / self.examples)
        last = int(np.searchsorted(mass.cumsum(), alpha))
        part = (alpha - mass[:last].sum()) / mass[last]
        return np.array([law_out @ ((-r < level[last]) + part * (-r == level[last])) for r, _, law_out in self.laws])


def exact_auc(score: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> float:
    """P(score of IN > score of OUT) + P(equal) / 2 for atoms with these probabilities."""
    _, level = np.unique(score, return_inverse=True)
    a, b = np.bincount(level, inside), np.bincount(level, outside)
    return float(a @ (np.cumsum(b) - b / 2))


def half(models: int, examples: int, random: np.random.Generator) -> np.ndarray:
    """The exact half design; drawn again where a model holds no example, or all of a small pool."""
    while True:
        member = membership(models, np.arange(examples), seed=int(random.integers(2**31)))
        if examples > 20 or (member.any(1) & ~member.all(1)).all():
            return member


def fresh(attack: Attack, world: World, signals: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Scores of targets that each have `count` IN and `count` OUT shadows of their own."""
    rows = []
    for target in signals:
        shadows = half(2 * count, world.examples, random)
        rows.append(attack(target, world.signals(shadows, random), shadows))
    return np.array(rows)


def leave_pair_out(attack: Attack, signals: np.ndarray, member: np.ndarray) -> np.ndarray:
    """P(score of IN > score of OUT) of each example, [N], each pair of models scored by a fit without both."""
    wins = np.zeros(member.shape[1])
    for one in range(len(member)):
        for other in range(len(member)):
            pair = member[one] & ~member[other]
            if one == other or not pair.any():
                continue
            rest = np.delete(np.arange(len(member)), [one, other])
            with np.errstate(invalid="ignore", divide="ignore"):  # examples of other pairs may lack shadows
                high, low = attack(signals[[one, other]], signals[rest], member[rest])
            wins += pair * ((high > low) + 0.5 * (high == low))
    return wins / (member.sum(0) * (~member).sum(0))


def aucs(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """AUC per target (mean), over all cells, and per example over the K models (mean), [3]."""
    per_target = np.mean([roc(*pair).auc for pair in zip(scores, member, strict=True)])
    return np.array([per_target, roc(scores.ravel(), member.ravel()).auc, per_example_auc(scores, member).mean()])


def per_example_auc(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    """AUC of every example over the models, [N], ties at 1/2."""
    pairs = member[:, None] & ~member[None]
    wins = (scores[:, None] > scores[None]) + 0.5 * (scores[:, None] == scores[None])
    return np.asarray((wins * pairs).sum((0, 1)) / pairs.sum((0, 1)))


def schemes(attack: Attack, world: World, models: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """AUCs [3] of one fleet of an exact half design, by how the shadows of each target are chosen."""
    member = half(models, world.examples, random)
    signals = world.signals(member, random)
    left_out = {name: leave_one_out(attack, signals, signals, member, balance=cut) for name, cut in CUTS.items()}
    scores = left_out | {
        "target in its own fit": attack(signals, signals, member),
        "fresh": fresh(attack, world, signals, models // 2 - 1, random),
    }
    return {name: aucs(found, member) for name, found in scores.items()}


CUTS = {"leave-one-out, equal counts": True, "leave-one-out, all others": False}


def coins(attack: Attack, world: World, models: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """The same with memberships by independent coins, fleet and fresh shadows; 3 IN and 3 OUT models at least."""
    draws = [_coins(models, world.examples, random) for _ in range(models + 1)]
    member, signals = draws[0], world.signals(draws[0], random)
    rows = [
        attack(target, world.signals(other[1:], random), other[1:])
        for target, other in zip(signals, draws[1:], strict=True)
    ]
    alone = leave_one_out(attack, signals, signals, member)
    return {"leave-one-out, coins": aucs(alone, member), "fresh": aucs(np.array(rows), member)}


def _coins(models: int, examples: int, random: np.random.Generator) -> np.ndarray:
    member = random.random((models, examples)) < 0.5
    while (few := np.abs(2 * member.sum(0) - models) > models - 6).any():  # 5 in 1,000 at 16 models
        member[:, few] = random.random((models, int(few.sum()))) < 0.5
    return member


def pool_against_population(losses: np.ndarray, p: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact leak of an ERM's parameters about each letter z [z]: training sets from P, and halves of pools of 2 n.

    The leak is the total variation distance between the laws of the parameters with and without z in the training set
    of n examples; in a pool, given the pool, averaged over pools.
    """
    learner, letters = Erm(losses=losses), len(p)
    few, all_ = (Compositions(n=size, parts=letters) for size in (n - 1, n))
    rest_in, rest_out = few.rows(0, few.count), all_.rows(0, all_.count)
    law_out = learner.law(rest_out)
    laws_in = [learner.law(rest_in + np.eye(letters, dtype=int)[z]) for z in range(letters)]
    weight_in, weight_out = multinomial(rest_in, p), multinomial(rest_out, p)
    population = np.array([np.abs(weight_in @ law - weight_out @ law_out).sum() / 2 for law in laws_in])
    pools = Compositions(n=2 * n - 1, parts=letters)
    rows = pools.rows(0, pools.count)
    mean = np.zeros(letters)
    for row, weight in zip(rows, multinomial(rows, p), strict=True):
        inside, outside = (_hypergeometric(row, drawn) for drawn in (rest_in, rest_out))
        mean += weight * np.array([np.abs(inside @ law - outside @ law_out).sum() / 2 for law in laws_in])
    # The room's own enumeration says the same of the population.
    assert np.isclose(p @ population, erm_mis(losses, p, n).leak, rtol=1e-9)
    return population, mean


def _hypergeometric(pool: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    return np.asarray(special.comb(pool, drawn).prod(1) / special.comb(pool.sum(), drawn[0].sum()))
