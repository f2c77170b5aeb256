"""Laws of learners against their definitions, in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.theory.exact import Erm, Gibbs


@pytest.mark.parametrize(("kind", "law"), [(Fraction, [0.5, 0.5]), (float, [1.0, 0.0])])
def test_a_tie_of_fractions_that_floats_do_not_have(kind, law):
    # After one of each example the risks are 3/10 and 1/10 + 2/10; as floats, the sum is the larger.
    table = [[kind(Fraction(3, 10)), kind(0)], [kind(Fraction(1, 10)), kind(Fraction(2, 10))]]
    assert Erm(losses=table, ties="uniform").law(np.array([[1, 1]])).tolist() == [law]


@pytest.mark.parametrize("seed", range(10))
def test_the_minimisers_law_is_uniform_over_the_minimisers_or_on_the_first(seed):
    rng = np.random.default_rng(seed)
    table, counts = rng.integers(0, 3, (4, 3)), rng.multinomial(5, [0.2, 0.3, 0.5], size=40)
    uniform, first = (Erm(losses=table, ties=ties).law(counts) for ties in ("uniform", "lowest"))
    for row, one, other in zip(counts.tolist(), uniform, first, strict=True):
        risks = [sum(c * int(x) for c, x in zip(row, losses, strict=True)) for losses in table]
        best = [k for k, risk in enumerate(risks) if risk == min(risks)]
        assert one.tolist() == [(k in best) / len(best) for k in range(4)]
        assert other.tolist() == [float(k == best[0]) for k in range(4)]


@pytest.mark.parametrize("beta", [0.0, 0.5, 3.0])
def test_gibbs_weights_are_exponential_in_the_empirical_risk(beta):
    rng = np.random.default_rng(0)
    table, counts = rng.normal(size=(4, 3)), rng.multinomial(6, [0.2, 0.3, 0.5], size=20)
    learner = Gibbs(losses=table, inverse_temperature=beta)
    assert learner.elements == 4
    for row, law in zip(counts, learner.law(counts), strict=True):
        weights = [math.exp(-beta * sum(c * x for c, x in zip(row, losses, strict=True))) for losses in table]
        assert law.tolist() == pytest.approx([w / sum(weights) for w in weights])


def test_unusable_settings_are_refused():
    with pytest.raises(InputError, match="'lowest' or 'uniform'"):
        Erm(losses=[[0]], ties="highest")
    with pytest.raises(InputError, match="use Erm"):
        Gibbs(losses=[[0]], inverse_temperature=math.inf)
    with pytest.raises(InputError, match="finite numbers"):
        Gibbs(losses=[0], inverse_temperature=1.0)
