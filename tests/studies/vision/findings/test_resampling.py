"""The linearised bootstrap against one that draws the sample again and computes everything anew."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import Crossed, evaluate
from quantleak.studies.vision.findings import limits, resampled

TARGETS, EXAMPLES, RESAMPLES = 6, 30, 450  # more draws than are made at once, and not a multiple


def counts(resamples: int = RESAMPLES, seed: int = 4, **figures: Crossed) -> tuple[np.ndarray, ...]:
    """How often each target and each example is in each draw, read off figures made for that, and the figures given.

    A figure that is 1 for one target has its share as its value; one with influence 1 of one example moves by the times
    that it was drawn beyond once.
    """
    probes = {
        f"target {t}": Crossed(values=np.eye(TARGETS)[t], influence=np.zeros((TARGETS, EXAMPLES)))
        for t in range(TARGETS)
    }
    probes |= {
        f"example {i}": Crossed(values=np.zeros(TARGETS), influence=np.tile(np.eye(EXAMPLES)[i], (TARGETS, 1)))
        for i in range(EXAMPLES)
    }
    drawn = resampled(probes | figures, resamples, seed)
    w = np.stack([drawn[f"target {t}"] for t in range(TARGETS)], axis=1) * TARGETS
    v = np.stack([drawn[f"example {i}"] for i in range(EXAMPLES)], axis=1) + 1
    return w, v, *(drawn[name] for name in figures)


def mean_of(table: np.ndarray) -> Crossed:
    """The mean over examples of every target, with its exact influences."""
    return Crossed(values=table.mean(1), influence=(table - table.mean(1, keepdims=True)) / table.shape[1])


def test_draws_are_counts_with_replacement() -> None:
    w, v = counts()
    for drawn, size in ((w, TARGETS), (v, EXAMPLES)):
        np.testing.assert_allclose(drawn, drawn.round(), atol=1e-9)
        assert (drawn > -0.5).all()
        np.testing.assert_allclose(drawn.sum(1), size)
        np.testing.assert_allclose(drawn.mean(0), 1, atol=5 / np.sqrt(RESAMPLES))
        assert drawn.var() == pytest.approx(1 - 1 / size, rel=0.1)
    assert len(np.unique(v.round(), axis=0)) == RESAMPLES  # no draw is made twice


def test_a_mean_of_the_drawn_sample_is_exact_and_the_draw_is_shared() -> None:
    tables = np.random.default_rng(0).normal(size=(2, TARGETS, EXAMPLES))
    w, v, one, two = counts(one=mean_of(tables[0]), two=mean_of(tables[1]))
    for table, found in zip(tables, (one, two), strict=True):
        for draw in range(RESAMPLES):
            rows = np.repeat(np.arange(TARGETS), w[draw].round().astype(int))
            columns = np.repeat(np.arange(EXAMPLES), v[draw].round().astype(int))
            assert found[draw] == pytest.approx(table[np.ix_(rows, columns)].mean(), abs=1e-9)


def test_a_figure_does_not_differ_from_itself_whatever_stands_beside_it() -> None:
    figure = mean_of(np.random.default_rng(1).normal(size=(TARGETS, EXAMPLES)))
    drawn = resampled({"a": figure, "b": mean_of(np.ones((TARGETS, EXAMPLES))), "c": figure}, 50, 0)
    np.testing.assert_array_equal(drawn["a"], drawn["c"])
    np.testing.assert_allclose(drawn["b"], 1)
    np.testing.assert_allclose(drawn["a"], resampled({"a": figure}, 50, 0)["a"])
    assert not np.allclose(drawn["a"], resampled({"a": figure}, 50, 1)["a"])


def test_nothing_drawn_of_nothing() -> None:
    assert resampled({}, 10, 0) == {}


def brute_force(scores: np.ndarray, member: np.ndarray, resamples: int) -> np.ndarray:
    """AUCs of samples drawn anew: pairs of a member and a non-member weighted by how often both were drawn."""
    random = np.random.default_rng(11)
    targets, examples = scores.shape
    w = random.multinomial(targets, np.full(targets, 1 / targets), size=resamples) / targets
    v = random.multinomial(examples, np.full(examples, 1 / examples), size=resamples).astype(float)
    found = np.zeros(resamples)
    for target in range(targets):
        inside, outside = member[target], ~member[target]
        above = (scores[target, inside][:, None] > scores[target, outside]).astype(float)
        pairs = np.einsum("ri,ij,rj->r", v[:, inside], above, v[:, outside], optimize=True)
        found += w[:, target] * pairs / v[:, inside].sum(1) / v[:, outside].sum(1)
    return found


def test_the_spread_of_an_auc_and_of_a_difference_are_those_of_a_bootstrap_by_brute_force() -> None:
    random = np.random.default_rng(2)
    member = random.random((12, 160)) < 0.5
    # Targets differ in strength and share examples that are hard for all: both parts of the spread count.
    shared = member * random.uniform(0.5, 1.5, (12, 1)) + random.normal(size=160) + 0.5 * random.normal(size=(12, 160))
    worse = shared + random.normal(size=(12, 160))
    scores = {"one": shared, "two": worse}
    figures = {name: evaluate(each, member).crossed(None) for name, each in scores.items()}
    drawn = resampled(figures, 2000, 0)
    brute = {name: brute_force(each, member, 2000) for name, each in scores.items()}
    for name, found in drawn.items():
        assert found.mean() == pytest.approx(brute[name].mean(), abs=0.003)
        assert found.std() == pytest.approx(brute[name].std(), rel=0.1)
        assert limits(found, 0.9) == pytest.approx(limits(brute[name], 0.9), abs=0.007)
    paired = brute["one"] - brute["two"]
    assert (drawn["one"] - drawn["two"]).std() == pytest.approx(paired.std(), rel=0.1)
    # Drawn apart, the difference would spread wider by far.
    assert paired.std() < 0.7 * np.hypot(brute["one"].std(), brute["two"].std())


def test_limits_leave_as_much_on_either_side() -> None:
    assert limits(np.arange(101.0), 0.9) == pytest.approx((5, 95))
    assert limits(np.array([2002.0, 0.0, 1001.0]), 0.5) == pytest.approx((500.5, 1501.5))
