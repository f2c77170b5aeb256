"""Exposed examples: exact tests against SciPy, false discoveries against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.auditing.measures.exposed import benjamini_hochberg, clopper_pearson, exposed
from quantleak.data import membership

LEVEL = 0.95


def flags_of(seed: int, targets: int, examples: int, planted: np.ndarray, alarms: float = 0.1):
    """Flags that know nothing of membership, but for planted examples, which are found whenever they are members."""
    random = np.random.default_rng(seed)
    member = membership(targets, np.arange(examples), seed)
    flags = random.random(member.shape) < alarms
    flags[:, planted] = member[:, planted]
    return flags, member


def test_planted_examples_are_listed_and_their_shares_are_those_of_counting() -> None:
    planted = np.array([7, 100, 250])
    flags, member = flags_of(0, 32, 300, planted)
    found = exposed(flags, member, LEVEL)
    assert set(found["position"]) >= set(planted)
    for place, example in enumerate(found["position"]):
        inside, called = member[:, example], flags[:, example]
        assert found["found"][place] == called[inside].mean()
        assert found["alarms"][place] == called[~inside].mean()
        assert (found["members"][place], found["others"][place]) == (inside.sum(), (~inside).sum())
        table = [
            [(called & inside).sum(), (~called & inside).sum()],
            [(called & ~inside).sum(), (~called & ~inside).sum()],
        ]
        assert found["p"][place] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
        level = 1 - (1 - LEVEL) * len(found["position"]) / 300
        exact = stats.binomtest(int((called & inside).sum()), int(inside.sum())).proportion_ci(level, method="exact")
        assert (found["found_low"][place], found["found_high"][place]) == pytest.approx((exact.low, exact.high))
    assert (np.diff(found["found"]) <= 0).all()


def test_where_nothing_leaks_hardly_ever_is_an_example_listed() -> None:
    listed = [len(exposed(*flags_of(seed, 32, 300, np.arange(0)), LEVEL)["position"]) > 0 for seed in range(100)]
    # Without a true discovery the false discovery rate is the chance of any; 12 of 100 at 5% has probability 0.004.
    assert sum(listed) < 12


def test_the_share_of_false_discoveries_is_kept() -> None:
    planted = np.arange(30)
    shares = []
    for seed in range(60):
        position = exposed(*flags_of(seed, 32, 300, planted), LEVEL)["position"]
        shares.append((position >= 30).mean() if len(position) else 0.0)
        assert np.isin(planted, position).all()
    assert np.mean(shares) < 1 - LEVEL


def test_an_example_that_is_in_all_models_or_in_none_is_not_tested() -> None:
    flags, member = flags_of(0, 32, 60, np.array([1]))
    member[:, 0], member[:, 2] = True, False
    flags[:, [0, 2]] = True
    assert 0 not in exposed(flags, member, LEVEL)["position"]
    assert 2 not in exposed(flags, member, LEVEL)["position"]


def test_few_targets_prove_nothing() -> None:
    found = exposed(*flags_of(0, 4, 300, np.arange(10)), LEVEL)
    assert all(len(column) == 0 for column in found.values())


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30), rate=st.sampled_from([0.01, 0.05, 0.2]))
def test_rejected_are_those_whose_adjusted_p_value_is_small(p: list[float], rate: float) -> None:
    adjusted = stats.false_discovery_control(np.array(p))
    clear = np.abs(adjusted - rate) > 1e-12
    np.testing.assert_array_equal(benjamini_hochberg(np.array(p), rate)[clear], (adjusted <= rate)[clear])


def test_limits_at_the_ends() -> None:
    low, high = clopper_pearson(np.array([0, 5]), np.array([5, 5]), 0.9)
    assert low.tolist() == [0.0, pytest.approx(stats.binomtest(5, 5).proportion_ci(0.9, method="exact").low)]
    assert high.tolist() == [pytest.approx(stats.binomtest(0, 5).proportion_ci(0.9, method="exact").high), 1.0]
