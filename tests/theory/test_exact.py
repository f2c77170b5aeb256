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

from quantleak.errors import InputError
from quantleak.theory import erm_mis, learner_mis
from quantleak.theory.exact import Erm, Gibbs, Sampling, enumerate_mis, quantized
from quantleak.theory.exact.enumeration import Compositions, multinomial
from quantleak.theory.exact.losses import exact_losses

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


@pytest.mark.parametrize(("kind", "law"), [(Fraction, [0.5, 0.5]), (float, [1.0, 0.0])])
def test_a_tie_of_fractions_that_floats_do_not_have(kind, law):
    # After one of each example the risks are 3/10 and 1/10 + 2/10; as floats, the sum is the larger.
    table = [[kind(Fraction(3, 10)), kind(0)], [kind(Fraction(1, 10)), kind(Fraction(2, 10))]]
    assert Erm(losses=table, ties="uniform").law(np.array([[1, 1]])).tolist() == [law]


def test_rounding_neither_breaks_nor_makes_a_tie():
    rows = list(itertools.permutations([0.1, 0.2, 0.7]))
    assert exact_losses(rows).minimisers(np.array([[7, 7, 7], [10, 10, 10]])).all()
    close = exact_losses([[2**60, 0], [0, 2**60 - 1]])
    assert close.minimisers(np.array([[3, 3]])).tolist() == [[False, True]]


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


@given(problem=problems(), onto=st.lists(st.integers(0, 2), min_size=4, max_size=4))
@thorough
def test_quantizing_after_training_merges_parameters_and_never_leaks_more(problem, onto):
    table, p, n = problem
    exact, places = erm_mis(table, p, n), np.array(onto[: len(table)])
    joint = np.array([exact.joint[places == k].sum(0) for k in range(places.max() + 1)])
    leak = np.abs(joint - np.outer(joint.sum(1), exact.probabilities)).sum() / 2
    assert quantized(exact, places).leak == pytest.approx(leak, abs=1e-12)
    assert quantized(exact, places).value >= exact.value - 1e-12


@given(problem=problems())
@thorough
def test_examples_that_the_minimiser_cannot_tell_apart_are_merged_without_a_trace(problem):
    table, p, n = problem
    whole = enumerate_mis(Erm(losses=table), p, n)
    merged = erm_mis(table, p, n)
    np.testing.assert_allclose(merged.deviation, whole.deviation, atol=1e-12)
    np.testing.assert_allclose(merged.probabilities, whole.probabilities, atol=1e-12)


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


def test_p_1_counts_equal_rows_as_one_element():
    table = [[1, 1], [0, 2], [1, 1]]
    exact = erm_mis(table, [0.75, 0.25], 9, ties="uniform")
    assert exact.p_1 == pytest.approx(exact.chosen[1])
    assert erm_mis([[0, 2], *table], [0.75, 0.25], 9, ties="uniform").p_1 == pytest.approx(exact.p_1)
    assert exact.exponent == pytest.approx(-math.log(exact.leak) / 9)


def test_nothing_leaks_with_one_parameter():
    assert erm_mis([[1, 2]], [0.5, 0.5], 4).value == 1
    assert erm_mis([[1, 2]], [0.5, 0.5], 4).exponent == math.inf


def test_the_front_door_samples_what_cannot_be_enumerated():
    table, p = np.eye(16), np.full(16, 1 / 16)
    found = erm_mis(table, p, 30, sampling=Sampling(draws=2000))
    assert found.method == "sampling"
    assert found.low < found.value < found.high
    with pytest.raises(InputError, match="use sample_mis"):
        enumerate_mis(Erm(losses=table), p, 30)


@pytest.mark.parametrize(
    ("losses", "p", "n", "match"),
    [
        ([0, 1], [0.5, 0.5], 1, "table"),
        ([[0, math.inf]], [0.5, 0.5], 1, "finite numbers, got inf"),
        ([["a", 1]], [0.5, 0.5], 1, "finite numbers, got 'a'"),
        ([[0, 1]], [0.5, 0.4], 1, "sum to 0.9"),
        ([[0, 1]], [1.0, 0.0], 1, "leave out examples of probability 0"),
        ([[0, 1]], [1.0], 1, "2 columns for 1"),
        ([[0, 1]], [0.5, 0.5], 0, "positive whole number, got 0"),
    ],
)
def test_unusable_problems_are_refused(losses, p, n, match):
    with pytest.raises(InputError, match=match):
        erm_mis(losses, p, n)


def test_unusable_settings_are_refused():
    with pytest.raises(InputError, match="'lowest' or 'uniform'"):
        Erm(losses=[[0]], ties="highest")
    with pytest.raises(InputError, match="use Erm"):
        Gibbs(losses=[[0]], inverse_temperature=math.inf)
    with pytest.raises(InputError, match="finite numbers"):
        Gibbs(losses=[0], inverse_temperature=1.0)
    with pytest.raises(InputError, match="one a parameter"):
        quantized(erm_mis([[0, 1]], [0.5, 0.5], 1), np.array([0, 1]))
