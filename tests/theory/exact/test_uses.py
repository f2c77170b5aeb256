"""Attacks, the certificate and the rates are held to the exact value."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.attacks import evaluate, loss_attack
from quantleak.errors import InputError
from quantleak.theory import cramer_rate, erm_certificate, erm_mis, privacy_rate
from quantleak.theory.exact import attack_bound, population_table, quantized, slope

RARE_WIN = np.array([[0] * 9 + [7], [3] * 9 + [0]])
RARE_LOSS = np.array([[0] * 4 + [1] * 6, [9] * 4 + [0] * 6])
COIN = np.array([[1] * 4, [0, 2, 2, 2]])


def fair(losses: np.ndarray) -> list[Fraction]:
    examples = losses.shape[1]
    return [Fraction(1, examples)] * examples


@st.composite
def problems(draw):
    elements, examples = draw(st.integers(2, 6)), draw(st.integers(2, 4))
    table = draw(arrays(np.int64, (elements, examples), elements=st.integers(0, 5)))
    weights = draw(st.lists(st.integers(1, 6), min_size=examples, max_size=examples))
    return table, [Fraction(w, sum(weights)) for w in weights], draw(st.integers(1, 25))


@given(problem=problems(), ties=st.sampled_from(["lowest", "uniform"]))
@settings(max_examples=150)
def test_the_certificate_never_exceeds_it(problem, ties):
    losses, p, n = problem
    exact = erm_mis(losses, p, n, ties=ties)
    certificate = erm_certificate(population_table(losses, p), n)
    assert certificate.value is None or certificate.value <= exact.value + 1e-9
    assert exact.p_1 is not None
    assert exact.p_1**2 <= exact.value + 1e-9


@given(problem=problems(), data=st.data())
@settings(max_examples=100)
def test_no_attacks_bound_lies_below_it(problem, data):
    losses, p, n = problem
    exact = erm_mis(losses, p, n)
    scores = data.draw(arrays(np.float64, losses.shape, elements=st.floats(-3, 3)))
    assert attack_bound(exact, scores) >= exact.value - 1e-12
    assert attack_bound(exact, -losses) >= exact.value - 1e-12
    assert attack_bound(exact, exact.bayes_score) == pytest.approx(exact.value, abs=1e-9)
    by_threshold = [exact.deviation[scores >= t].sum() for t in [*scores.ravel(), np.inf]]
    assert attack_bound(exact, scores) == pytest.approx(1 - max(by_threshold), abs=1e-12)


def simulate(losses, p, n, targets, random) -> tuple[np.ndarray, np.ndarray]:
    """Each target's parameter [T], and its n members, then n others [T, 2n]: plain draws and plain minimisation."""
    drawn = random.choice(len(p), size=(targets, 2 * n), p=[float(x) for x in p])
    chosen = np.array([int(losses[:, own[:n]].sum(1).argmin()) for own in drawn])
    return chosen, drawn


@pytest.mark.parametrize("seed", range(12))
def test_simulated_attacks_stay_above_it_and_the_bayes_attack_reaches_it(seed):
    random = np.random.default_rng(seed)
    examples = int(random.integers(2, 5))
    losses, weights = random.integers(0, 6, (int(random.integers(2, 6)), examples)), random.integers(1, 5, examples)
    p, n = [Fraction(int(w), int(weights.sum())) for w in weights], int(random.integers(2, 9))
    exact = erm_mis(losses, p, n)
    chosen, drawn = simulate(losses, p, n, targets=500, random=random)
    member = np.tile(np.arange(2 * n) < n, (len(drawn), 1))
    bayes, loss = (
        evaluate(scores[chosen[:, None], drawn], member, fprs=(), level=0.99).mis_bound
        for scores in (exact.bayes_score, loss_attack(-losses))
    )
    assert loss.high is not None
    assert bayes.low is not None
    assert bayes.high is not None
    assert loss.high >= exact.value
    # Without a threshold that helps, the attack calls nobody a member: bound 1, no spread.
    assert bayes.low - 0.005 <= exact.value <= bayes.high


@pytest.mark.parametrize("losses", [COIN, RARE_WIN, RARE_LOSS])
def test_the_slope_tends_to_the_cramer_rate_not_to_r_q(losses):
    table = population_table(losses, fair(losses))
    cramer, r_q = float(cramer_rate(table)), float(privacy_rate(table))
    small, large = (erm_mis(losses, fair(losses), n) for n in (200, 400))
    # The leak falls like exp(-n C) / sqrt(n), whose slope is C + ln(2) / (2 n).
    assert slope(small, large) - math.log(2) / 400 == pytest.approx(cramer, rel=2e-3)
    assert abs(r_q - cramer) > 0.1 * cramer
    assert small.exponent > large.exponent > cramer


def test_the_second_order_score_misleads_between_two_parameter_sets():
    win, loss = (population_table(losses, fair(losses)) for losses in (RARE_WIN, RARE_LOSS))
    assert float(privacy_rate(win)) == pytest.approx(2 / 9)
    assert float(privacy_rate(loss)) == pytest.approx(3 / 16)
    assert float(cramer_rate(win)) == pytest.approx(0.3 * math.log(3) + 0.7 * math.log(7 / 9))
    assert float(cramer_rate(loss)) == pytest.approx(0.9 * math.log(1.5) + 0.1 * math.log(0.25))
    leaks = [[erm_mis(losses, fair(losses), n).leak for losses in (RARE_WIN, RARE_LOSS)] for n in range(15, 61)]
    assert all(more > less for more, less in leaks)


@given(problem=problems(), onto=st.lists(st.integers(0, 2), min_size=6, max_size=6))
@settings(max_examples=60)
def test_quantizing_after_training_merges_parameters_and_never_leaks_more(problem, onto):
    table, p, n = problem
    exact, places = erm_mis(table, p, n), np.array(onto[: len(table)])
    joint = np.array([exact.joint[places == k].sum(0) for k in range(places.max() + 1)])
    leak = np.abs(joint - np.outer(joint.sum(1), exact.probabilities)).sum() / 2
    assert quantized(exact, places).leak == pytest.approx(leak, abs=1e-12)
    assert quantized(exact, places).value >= exact.value - 1e-12


def test_wrong_uses_are_refused():
    exact = erm_mis([[0, 1]], [0.5, 0.5], 2)
    with pytest.raises(InputError, match="no NaN"):
        attack_bound(exact, np.array([[0.0, math.nan]]))
    with pytest.raises(InputError, match="got 2 twice"):
        slope(exact, exact)
    assert math.isnan(slope(exact, erm_mis([[0, 1]], [0.5, 0.5], 4)))
    with pytest.raises(InputError, match="one per parameter"):
        quantized(erm_mis([[0, 1]], [0.5, 0.5], 1), np.array([0, 1]))
