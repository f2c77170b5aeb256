"""No score hides in ties what its input tells: confident signals, rounded to float32, many of them equal."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import partial

import numpy as np
import pytest

from quantleak.attacks import (
    RMIA,
    BaVarIA,
    LiRA,
    affine_map,
    bavaria,
    difficulty,
    lira,
    log_density,
    log_probability,
    loss_attack,
    monotone_map,
    residual_phi,
    rmia,
)

CONFIDENT = np.repeat(np.linspace(30, 2000, 500).astype(np.float32).astype(float), 3)
"""phi of a target; all examples have the same shadows, so that a score is a function of the target's phi alone."""

MEMBER = np.arange(8)[:, None] < np.full(CONFIDENT.size, 4)
SHADOWS = {
    "apart": np.array([40.0, 41.0, 43.0, 44.0, 35.0, 36.0, 38.0, 39.0]),
    "IN all equal, OUT all equal": np.array([33.0] * 4 + [32.0] * 4),
    "far above": np.array([2000.0, 2001.0, 2003.0, 2004.0, 1995.0, 1996.0, 1998.0, 1999.0]),
}


def columns(name):
    return np.repeat(SHADOWS[name][:, None], CONFIDENT.size, axis=1)


def assert_apart(scores, signal):
    """Equal signals score equally, and no two others do; no NaN."""
    assert np.isfinite(scores).all()
    assert np.unique(scores).size == np.unique(signal).size
    assert np.unique(np.stack([scores, signal]), axis=1).shape[1] == np.unique(signal).size


RISING = {
    "loss": lambda target, shadows, member: loss_attack(target),
    "difficulty": difficulty,
    "bavaria offline": partial(bavaria, convention=BaVarIA(mode="offline")),
    **{f"lira {name}": partial(lira, convention=LiRA.preset(name)) for name in LiRA.presets() if "mia-off" not in name},
}


@pytest.mark.parametrize("shadows", SHADOWS)
@pytest.mark.parametrize("name", RISING)
def test_scores_of_confident_targets_rise_and_stay_apart(name, shadows):
    # Where IN and OUT spread equally, the log-likelihood ratio of two normals rises too.
    scores = RISING[name](CONFIDENT, columns(shadows), MEMBER)
    assert_apart(scores, CONFIDENT)
    assert (np.diff(scores) >= 0).all()


@pytest.mark.parametrize("shadows", SHADOWS)
@pytest.mark.parametrize(
    "attack", [bavaria, partial(lira, convention=LiRA.preset("quant-mia-offline"))], ids=["bavaria", "two-sided"]
)
def test_scores_that_do_not_rise_everywhere_stay_apart(attack, shadows):
    # Far above both groups a Student's ratio falls back towards 0; below the OUT shadows the two-sided score falls.
    signal = CONFIDENT + SHADOWS[shadows].max()
    assert_apart(attack(signal, columns(shadows), MEMBER), signal)


@pytest.mark.parametrize("size", [1e-30, 1e30, 3e38])
@pytest.mark.parametrize("name", LiRA.presets())
def test_signals_of_any_float32_size_give_no_nan(name, size):
    rng = np.random.default_rng(0)
    shadows = rng.normal(size=MEMBER.shape) * size
    shadows[:, ::2] = shadows[0, ::2]
    scores = lira(rng.normal(size=CONFIDENT.size) * size, shadows, MEMBER, convention=LiRA.preset(name))
    assert not np.isnan(scores).any()


@pytest.mark.parametrize("convention", [BaVarIA(), BaVarIA(mode="offline")], ids=["online", "offline"])
@pytest.mark.parametrize("size", [1e-30, 1e30, 3e38])
def test_the_same_for_bavaria(convention, size):
    rng = np.random.default_rng(0)
    shadows = rng.normal(size=MEMBER.shape) * size
    shadows[:, ::2] = shadows[0, ::2]
    assert np.isfinite(bavaria(rng.normal(size=CONFIDENT.size) * size, shadows, MEMBER, convention=convention)).all()


@pytest.mark.parametrize("gamma", [1.0, 2.0])
@pytest.mark.parametrize("mode", ["online", "offline"])
@pytest.mark.parametrize("shadows", SHADOWS)
def test_rmia_keeps_apart_what_its_ratio_tells_apart(shadows, mode, gamma):
    """As far as float64 can hold the ratio's logarithm; ln p itself is 0 from phi = 745 on."""
    inside, outside = SHADOWS[shadows][:4], SHADOWS[shadows][4:]
    target = np.concatenate([CONFIDENT[:60:3], CONFIDENT[60::36]])
    with localcontext(prec=400):

        def p(phi):
            return 1 / (1 + (-Decimal(float(phi))).exp())

        mean_in, mean_out = (sum(map(p, group)) / 4 for group in (inside, outside))
        if mode == "offline":
            a = Decimal(RMIA().a)
            mean_in = a * mean_out + 1 - a
        exact = np.array([float((2 * p(phi) / (mean_in + mean_out)).ln()) for phi in target])
    population = np.linspace(-3, 60, 40)
    scores = rmia(
        log_probability(np.repeat(target, 2)),
        log_probability(columns(shadows)[:, : 2 * target.size]),
        MEMBER[:, : 2 * target.size],
        population_target=log_probability(population),
        population_shadows=log_probability(np.repeat(population[None], 8, axis=0)),
        convention=RMIA(mode=mode, gamma=gamma),
    )
    np.testing.assert_array_equal(scores[::2], scores[1::2])
    apart = np.diff(exact) > 1e-12 * np.abs(exact[1:])
    assert (np.diff(scores) >= 0).all()
    assert (np.diff(scores[::2])[apart] > 0).all()
    assert apart.sum() > 5


def test_ratios_of_probabilities_next_to_one_keep_their_digits():
    # The target's 1 - p is 1e-20 to 9e-20, as is the references': ratios differ in the 20th digit.
    phi = -np.log(np.arange(1, 10) * 1e-20)
    scores = rmia(
        log_probability(phi),
        np.full((2, 9), log_probability(np.array(46.0))),
        np.array([[True], [False]]) & np.ones(9, dtype=bool),
        population_target=np.array([-0.1, -3.0]),
        population_shadows=np.full((2, 2), -1.0),
    )
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_means_of_probabilities_next_to_one_keep_their_digits(mode):
    # The other way round: 1 - p of one of two OUT references differs, in the 20th digit of p; it is never the smallest.
    tiny, same = np.arange(1, 10) * 1e-20, np.full(9, 1e-20)
    scores = rmia(
        log_probability(np.full(9, 46.0)),
        log_probability(-np.log(np.stack([same, same, tiny]))),
        np.array([[True], [False], [False]]) & np.ones(9, dtype=bool),
        population_target=np.array([-0.1, -3.0]),
        population_shadows=np.full((3, 2), -1.0),
        convention=RMIA(mode=mode),
    )
    assert (np.diff(scores) > 0).all()


def test_signals_of_tiny_residuals_stay_apart():
    residuals = np.geomspace(1e-7, 1, 200)
    zero = np.zeros(1)
    assert (np.diff(residual_phi(residuals, zero)) < 0).all()
    assert (np.diff(log_density(residuals, zero, 1.0)) < 0).all()


@pytest.mark.parametrize("fit", [affine_map, monotone_map])
def test_recalibration_joins_no_two_signals(fit):
    # Most shadow signals are equal, as quantized ones are: a map of quantiles is flat there.
    rng = np.random.default_rng(0)
    population = np.sort(rng.normal(size=200))
    shadows = np.round(population + 0.1 * rng.normal(size=(5, 200)))
    signals = np.linspace(-5, 5, 1000)
    mapped = fit(population, shadows)(signals)
    assert (np.diff(mapped) > 0).all()
