"""Mode C: the table of section 6.6 (L8), exact inversion, and why the shadows are never regressed on the target."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from quantleak.attacks import CannotRecalibrate, LiRA, affine_map, leave_one_out, lira, monotone_map, recalibrate, roc
from quantleak.errors import InputError


@pytest.fixture(scope="module")
def table():
    """The world of section 6.6: means N(0, 3^2), sd 1, members shifted by 1, 64 shadows."""
    rng = np.random.default_rng(0)
    examples, points = 20_000, 4000
    means = rng.normal(0, 3, examples)
    member = rng.random((65, examples)) < 0.5
    signals = means + member + rng.normal(size=member.shape)
    population = rng.normal(0, 3, points) + rng.normal(size=(65, points))
    return signals, member, population


def auc(table, target, convention=None):
    signals, member, _ = table
    convention = convention or LiRA.preset("carlini2022")
    return roc(lira(target, signals[1:], member[1:], convention=convention), member[0]).auc


def test_transfer_adaptive_and_recalibrated(table):
    signals, member, population = table
    mapped, population_mapped = 0.5 * signals[0] + 1, 0.5 * population[0] + 1
    assert auc(table, signals[0]) == pytest.approx(0.749, abs=0.008)
    assert auc(table, mapped) == pytest.approx(0.577, abs=0.012)
    adaptive = lira(mapped, 0.5 * signals[1:] + 1, member[1:], convention=LiRA.preset("carlini2022"))
    assert roc(adaptive, member[0]).auc == pytest.approx(auc(table, signals[0]), abs=1e-9)
    fixed = LiRA.preset("carlini2022-fixed")
    for fit in (affine_map, monotone_map):
        recovered = fit(population_mapped, population[1:])(mapped)
        assert auc(table, recovered, fixed) == pytest.approx(0.755, abs=0.008)
        assert auc(table, recovered) > 0.74


def test_regressing_the_shadows_on_the_target_would_flatten_the_map(table):
    signals, _, population = table
    q, f = 0.5 * population[0] + 1, population[1:].mean(axis=0)
    slope, intercept = np.polyfit(q, f, 1)
    assert slope < 0.95 * affine_map(q, population[1:]).slope
    assert affine_map(q, population[1:]).slope == pytest.approx(2.0, rel=0.03)
    assert auc(table, slope * (0.5 * signals[0] + 1) + intercept) < auc(
        table, affine_map(q, population[1:])(0.5 * signals[0] + 1)
    )


def test_the_affine_map_inverts_the_least_squares_line():
    rng = np.random.default_rng(1)
    shadows = rng.normal(size=(5, 40))
    q = 3 * shadows.mean(axis=0) - 2 + 0.1 * rng.normal(size=40)
    slope, intercept = np.polyfit(shadows.mean(axis=0), q, 1)
    values = rng.normal(size=(4, 3)) * 100
    np.testing.assert_allclose(affine_map(q, shadows)(values), (values - intercept) / slope)


def test_the_monotone_map_undoes_any_rising_distortion():
    rng = np.random.default_rng(2)
    shadows = rng.normal(size=(8, 2000))
    clean = rng.normal(size=2000)
    fit = monotone_map(np.exp(clean), shadows)
    inner = np.linspace(-2, 2, 50)
    np.testing.assert_allclose(fit(np.exp(inner)), inner, atol=0.2)


def test_the_monotone_map_rises_and_keeps_the_extremes_apart():
    rng = np.random.default_rng(3)
    # A quantized target: few distinct signals on the population.
    q = np.round(rng.normal(size=500))
    fit = monotone_map(q, rng.normal(size=(4, 500)))
    values = fit(np.linspace(-40, 40, 400))
    assert (np.diff(values) >= 0).all()
    assert (np.diff(values[np.abs(np.linspace(-40, 40, 400)) > 5]) > 0).all()
    edge = fit.knots[-1]
    assert fit(np.array([edge + 1e-9]))[0] == pytest.approx(fit(np.array([edge]))[0], abs=1e-8)


@pytest.mark.parametrize("method", ["affine", "monotone"])
def test_a_fleet_is_recalibrated_on_the_other_models(method, fleet):
    world = fleet(16, 1500)
    quantized, quantized_population = 0.5 * world.signals + 1, 0.5 * world.population + 1
    attack = partial(lira, convention=LiRA(variance="global"))
    mapped = recalibrate(quantized, quantized_population, world.population, method=method)

    def mean_auc(targets):
        scores = leave_one_out(attack, targets, world.signals, world.member)
        return np.mean([roc(*pair).auc for pair in zip(scores, world.member, strict=True)])

    assert mean_auc(quantized) < 0.65
    assert mean_auc(mapped) == pytest.approx(mean_auc(world.signals), abs=0.01)
    spoilt = world.population.copy()
    spoilt[3] = 50 * np.random.default_rng(0).normal(size=1000)
    again = recalibrate(quantized, quantized_population, spoilt, method=method)
    np.testing.assert_array_equal(again[3], mapped[3])
    assert (again[0] != mapped[0]).any()


def test_a_target_that_says_nothing_cannot_be_recalibrated():
    shadows = np.random.default_rng(4).normal(size=(3, 30))
    with pytest.raises(CannotRecalibrate, match="do not rise"):
        affine_map(np.zeros(30), shadows)
    with pytest.raises(CannotRecalibrate, match="do not rise"):
        affine_map(-shadows.mean(axis=0), shadows)
    with pytest.raises(CannotRecalibrate, match="1 distinct signals"):
        monotone_map(np.zeros(30), shadows)
    with pytest.raises(CannotRecalibrate, match="or the shadows one"):
        monotone_map(np.arange(30.0), np.zeros((3, 30)))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"population_shadows has shape \(3, 4\)"):
        affine_map(np.zeros(5), np.zeros((3, 4)))
    with pytest.raises(InputError, match="same 2 or more models"):
        recalibrate(np.zeros((3, 4)), np.zeros((2, 4)), np.zeros((3, 4)))
