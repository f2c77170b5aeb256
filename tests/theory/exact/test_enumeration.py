"""Exact MIS against its definition: every training set in order, in fractions; closed forms; simulation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from quantleak.theory import erm_mis, learner_mis
from quantleak.theory.exact import Gibbs
from quantleak.theory.exact.enumeration import Compositions, multinomial

WHOLE = st.integers(0, 3)
thorough = settings(max_examples=60)


@st.composite
def problems(draw, losses=WHOLE, largest=4):
    """A loss table, probabilities in fractions, and n."""
    elements, examples = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rows = st.lists(losses, min_size=examples, max_size=examples)
    weights = draw(st.lists(st.integers(1, 5), min_size=examples, max_size=examples))
    table = draw(st.lists(rows, min_size=elements, max_size=elements))
    return table, [Fraction(w, sum(weights)) for w in weights], draw(st.integers(1, largest))


def minimisers(table, drawn) -> list[int]:
    risks = [sum(Fraction(row[z]) for z in drawn) for row in table]
    return [k for k, risk in enumerate(risks) if risk == min(risks)]


def by_definition(table, p, n, ties) -> tuple[Fraction, list[Fraction]]:
    """MIS and the law of the parameters, from all training sets in order, in fractions."""
    joint = [[Fraction(0)] * len(p) for _ in table]
    for drawn in itertools.product(range(len(p)), repeat=n):
        best = minimisers(table, drawn)
        best = best[:1] if ties == "lowest" else best
        for k in best:
            joint[k][drawn[0]] += math.prod(p[z] for z in drawn) / len(best)
    chosen = [sum(row) for row in joint]
    distance = sum(abs(joint[k][z] - chosen[k] * p[z]) for k in range(len(table)) for z in range(len(p)))
    return 1 - distance / 2, chosen


@pytest.mark.parametrize("ties", ["lowest", "uniform"])
@given(problem=problems())
@thorough
def test_it_is_its_definition(ties, problem):
    table, p, n = problem
    exact = erm_mis(table, p, n, ties=ties)
    mis, chosen = by_definition(table, p, n, ties)
    assert exact.value == pytest.approx(float(mis), abs=1e-12)
    assert exact.low == exact.value == exact.high
    np.testing.assert_allclose(exact.chosen, [float(c) for c in chosen], atol=1e-12)
    np.testing.assert_allclose(exact.joint.sum(0), exact.probabilities, atol=1e-12)


@pytest.mark.parametrize("ties", ["lowest", "uniform"])
@given(problem=problems(losses=st.sampled_from([0.1, 0.2, 0.3, 0.6, 1e-20, 1e20, 1 / 3]), largest=3))
@thorough
def test_ties_of_floats_are_those_of_the_binary_fractions_they_are(ties, problem):
    table, p, n = problem
    assert erm_mis(table, p, n, ties=ties).value == pytest.approx(float(by_definition(table, p, n, ties)[0]), abs=1e-12)


@given(problem=problems(), beta=st.floats(0, 3))
@thorough
def test_any_learner_of_counts(problem, beta):
    table, p, n = problem
    joint = np.zeros((len(table), len(p)))
    for drawn in itertools.product(range(len(p)), repeat=n):
        weights = [math.exp(-beta * sum(row[z] for z in drawn)) for row in table]
        joint[:, drawn[0]] += np.array(weights) / sum(weights) * math.prod(float(p[z]) for z in drawn)
    leak = np.abs(joint - np.outer(joint.sum(1), [float(x) for x in p])).sum() / 2
    assert learner_mis(Gibbs(losses=table, inverse_temperature=beta), p, n).leak == pytest.approx(leak, abs=1e-12)


def two_parameters(n: int, q: float, threshold: float) -> float:
    """Leak where the competitor wins iff its share of the training set, binomial of q, exceeds a threshold."""
    fewest = math.floor(threshold * n) + 1
    return 2 * q * (stats.binom.sf(fewest - 2, n - 1, q) - stats.binom.sf(fewest - 1, n, q))


@pytest.mark.parametrize("n", [3, 16, 41, 200, 1000])
def test_tiny_leaks_keep_their_digits(n):
    # The competitor is worse by 3 on nine examples of ten, better by 7 on one: it wins if that has a share above 3/10.
    ours = erm_mis([[0] * 9 + [7], [3] * 9 + [0]], [Fraction(1, 10)] * 10, n)
    assert ours.leak == pytest.approx(two_parameters(n, 0.1, 0.3), rel=1e-9)
    assert n < 1000 or 0 < ours.leak < 1e-60


@pytest.mark.parametrize("n", [1, 5, 21, 301])
def test_two_parameters_of_equal_risk_leak_the_mean_deviation(n):
    c = np.arange(n + 1)
    expected = float(stats.binom.pmf(c, n, 0.5) @ abs(c / n - 0.5))
    assert erm_mis([[0, 1], [1, 0]], [0.5, 0.5], n).leak == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("examples", "n"), [(4, 25), (6, 10)])
def test_it_agrees_with_brute_force_simulation(examples, n):
    random = np.random.default_rng(examples)
    table, p = random.random((7, examples)), random.dirichlet(np.full(examples, 5.0))
    sets = random.choice(examples, size=(400_000, n), p=p)
    chosen = sum(table[:, sets[:, i]] for i in range(n)).argmin(0)
    joint = np.zeros((7, examples))
    np.add.at(joint, (chosen, sets[:, 0]), 1 / len(sets))
    simulated = np.abs(joint - np.outer(joint.sum(1), p)).sum() / 2
    # The plain estimate is biased upwards by at most the sum of its cells' mean errors.
    noise = np.sqrt(joint / len(sets)).sum() / 2
    assert erm_mis(table, p, n).leak == pytest.approx(simulated, abs=noise)


@pytest.mark.parametrize(("n", "parts"), [(0, 3), (4, 1), (3, 4), (7, 3)])
def test_compositions_are_all_and_distinct(n, parts):
    every = Compositions(n=n, parts=parts)
    rows = np.concatenate(list(every.chunks(5)))
    expected = sorted(c for c in itertools.product(range(n + 1), repeat=parts) if sum(c) == n)
    assert sorted(map(tuple, rows.tolist())) == expected
    assert every.count == len(expected)


@pytest.mark.parametrize("n", [1, 12, 400])
def test_multinomial_probabilities(n):
    p = np.array([0.2, 0.5, 0.3])
    counts = np.random.default_rng(0).multinomial(n, p, size=50)
    np.testing.assert_allclose(multinomial(counts, p), stats.multinomial.pmf(counts, n, p), rtol=1e-10)
