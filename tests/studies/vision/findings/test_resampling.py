"""The linearised bootstrap: its draws, the spread that it must have, and how often its intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from quantleak.attacks import Crossed, evaluate
from quantleak.studies.vision.findings import limits, resampled

TARGETS, EXAMPLES, RESAMPLES = 6, 30, 450  # more draws than are made at once, and not a multiple


def counts(resamples: int = RESAMPLES, seed: int = 4, **figures: Crossed) -> tuple[np.ndarray, ...]:
    """How often each target and each example is in each draw, read off figures made for that, and the figures given.

    A figure that is 1 for one target moves by its share, which is spread by the root of T / (T - 1), for an unbiased
    variance. One with influence 1 of one example moves by the times that it was drawn beyond once; the variance of that
    in a single target, a T-th of it, is no part of what targets share.
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
    unbiased = np.sqrt((TARGETS - 1) / TARGETS)
    w = 1 + np.stack([drawn[f"target {t}"] * TARGETS - 1 for t in range(TARGETS)], axis=1) * unbiased
    v = 1 + np.stack([drawn[f"example {i}"] for i in range(EXAMPLES)], axis=1) / unbiased
    return w, v, *(drawn[name] for name in figures)


def mean_of(table: np.ndarray) -> Crossed:
    """The mean over examples of every target, with its exact influences."""
    return Crossed(values=table.mean(1), influence=(table - table.mean(1, keepdims=True)) / table.shape[1])


def shared_variance(influence: np.ndarray) -> tuple[float, float]:
    """Of the mean over targets: V_E, by example, and what is left of it without V_TE, by target and example."""
    targets, examples = influence.shape
    by_example = sum((sum(influence[t, i] for t in range(targets)) / targets) ** 2 for i in range(examples))
    by_cell = sum((influence[t, i] / targets) ** 2 for t in range(targets) for i in range(examples))
    return by_example, max(0.0, by_example - by_cell)


def variance_of(figure: Crossed) -> float:
    """V_T + max(0, V_E - V_TE)."""
    targets = len(figure.values)
    between = sum((value - figure.values.mean()) ** 2 for value in figure.values) / (targets - 1) / targets
    return between + shared_variance(figure.influence)[1]


def effects(random: np.random.Generator, targets: int, examples: int, sizes: tuple[float, float, float]) -> np.ndarray:
    """A table of random targets, examples and cells, with these standard deviations; its mean is 0."""
    of_target, of_example, of_cell = sizes
    return (
        of_target * random.normal(size=(targets, 1))
        + of_example * random.normal(size=examples)
        + of_cell * random.normal(size=(targets, examples))
    )


def test_draws_are_counts_with_replacement() -> None:
    w, v = counts()
    for drawn, size in ((w, TARGETS), (v, EXAMPLES)):
        np.testing.assert_allclose(drawn, drawn.round(), atol=1e-9)
        assert (drawn > -0.5).all()
        np.testing.assert_allclose(drawn.sum(1), size)
        np.testing.assert_allclose(drawn.mean(0), 1, atol=5 / np.sqrt(RESAMPLES))
        assert drawn.var() == pytest.approx(1 - 1 / size, rel=0.1)
    assert len(np.unique(v.round(), axis=0)) == RESAMPLES  # no draw is made twice


def test_a_figure_moves_with_the_drawn_targets_and_with_what_they_share_of_the_drawn_examples() -> None:
    random = np.random.default_rng(0)
    figures = [mean_of(effects(random, TARGETS, EXAMPLES, sizes)) for sizes in ((1, 1, 0.3), (0.2, 1, 2))]
    w, v, *found = counts(one=figures[0], two=figures[1])
    for figure, drawn in zip(figures, found, strict=True):
        every, shared = shared_variance(figure.influence)
        assert 0 < shared < every
        for draw in range(RESAMPLES):
            targets = np.repeat(np.arange(TARGETS), w[draw].round().astype(int))
            examples = np.repeat(np.arange(EXAMPLES), v[draw].round().astype(int))
            between = figure.values[targets].mean() - figure.values.mean()
            within = figure.influence[:, examples].sum() / TARGETS  # influences of a target sum to 0
            expected = figure.values.mean() + np.sqrt(1.2) * between + np.sqrt(shared / every) * within
            assert drawn[draw] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sizes", [(1, 1, 0.1), (1, 0.2, 3), (0.05, 1, 1), (0.0, 0.0, 1)])
def test_the_spread_is_that_of_the_crossed_design(sizes: tuple[float, float, float]) -> None:
    figure = mean_of(effects(np.random.default_rng(5), TARGETS, EXAMPLES, sizes))
    drawn = resampled({"a": figure}, 20_000, 0)["a"]
    assert drawn.mean() == pytest.approx(figure.values.mean(), abs=4 * drawn.std() / np.sqrt(20_000))
    assert drawn.std() == pytest.approx(np.sqrt(variance_of(figure)), rel=0.02)


def test_examples_on_which_targets_move_apart_add_nothing_and_a_single_target_has_them_all() -> None:
    influence = np.random.default_rng(6).normal(size=(1, EXAMPLES))
    influence -= influence.mean()
    apart = Crossed(values=np.full(2, 0.3), influence=np.concatenate([influence, -0.9 * influence]))
    np.testing.assert_allclose(resampled({"a": apart}, 50, 0)["a"], 0.3)
    alone = resampled({"a": Crossed(values=np.array([0.3]), influence=influence)}, 20_000, 0)["a"]
    assert alone.std() == pytest.approx(np.sqrt((influence**2).sum()), rel=0.02)


@pytest.mark.parametrize("sizes", [(0.05, 0.1, 1.0), (0.3, 0.2, 0.5), (0.02, 0.3, 0.3)])
def test_the_interval_of_a_mean_covers_it_as_often_as_it_says(sizes: tuple[float, float, float]) -> None:
    random, covered = np.random.default_rng(7), []
    for seed in range(500):
        figure = mean_of(effects(random, 24, 100, sizes))
        low, high = limits(resampled({"a": figure}, 400, seed)["a"], 0.95)
        covered.append(low <= 0 <= high)
    # Of 500 the standard error is .01; plain resampling both ways covers up to .999 where cells are noisy.
    assert 0.915 < np.mean(covered) < 0.98


def test_the_order_of_figures_that_differ_by_a_constant_is_kept() -> None:
    figure = mean_of(effects(np.random.default_rng(8), TARGETS, EXAMPLES, (1, 1, 1)))
    above = Crossed(values=figure.values + 0.01, influence=figure.influence)
    drawn = resampled({"a": figure, "b": above}, RESAMPLES, 0)
    np.testing.assert_allclose(drawn["b"] - drawn["a"], 0.01)


def test_a_figure_does_not_differ_from_itself_whatever_stands_beside_it() -> None:
    figure = mean_of(np.random.default_rng(1).normal(size=(TARGETS, EXAMPLES)))
    drawn = resampled({"a": figure, "b": mean_of(np.ones((TARGETS, EXAMPLES))), "c": figure}, 50, 0)
    np.testing.assert_array_equal(drawn["a"], drawn["c"])
    np.testing.assert_allclose(drawn["b"], 1)
    np.testing.assert_allclose(drawn["a"], resampled({"a": figure}, 50, 0)["a"])
    assert not np.allclose(drawn["a"], resampled({"a": figure}, 50, 1)["a"])


def test_nothing_drawn_of_nothing() -> None:
    assert resampled({}, 10, 0) == {}


def world_of_scores(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memberships and scores of two attacks: targets differ in strength and share examples that are hard for all."""
    member = random.random((12, 160)) < 0.5
    strength, hard = random.uniform(0.5, 1.5, (12, 1)), random.normal(size=160)
    one = member * strength + hard + 0.5 * random.normal(size=(12, 160))
    return member, one, one + random.normal(size=(12, 160))


def mean_auc(scores: np.ndarray, member: np.ndarray) -> float:
    """By ranks."""
    found = []
    for row, inside in zip(scores, member, strict=True):
        first = inside.sum()
        found.append((rankdata(row)[inside].sum() - first * (first + 1) / 2) / first / (~inside).sum())
    return float(np.mean(found))


def test_the_spread_of_an_auc_and_of_a_difference_is_that_of_new_targets_and_examples() -> None:
    random = np.random.default_rng(2)
    worlds = [world_of_scores(random) for _ in range(1000)]
    anew = np.array([[mean_auc(one, member), mean_auc(two, member)] for member, one, two in worlds])
    variances = []
    for member, one, two in worlds[:60]:
        figures = {name: evaluate(each, member).crossed(None) for name, each in (("one", one), ("two", two))}
        figures["difference"] = figures["one"] - figures["two"]
        drawn = resampled(figures, 400, 0)
        variances.append([each.var() for each in drawn.values()])
    expected = [*anew.std(0), (anew[:, 0] - anew[:, 1]).std()]
    assert np.sqrt(np.mean(variances, axis=0)) == pytest.approx(expected, rel=0.1)
    # Drawn apart, the difference would spread wider by far.
    assert expected[2] < 0.7 * np.hypot(expected[0], expected[1])


def test_limits_leave_as_much_on_either_side() -> None:
    assert limits(np.arange(101.0), 0.9) == pytest.approx((5, 95))
    assert limits(np.array([2002.0, 0.0, 1001.0]), 0.5) == pytest.approx((500.5, 1501.5))
