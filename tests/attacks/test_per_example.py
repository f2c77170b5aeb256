"""Per-example p-values: uniform without membership, closed-form power with it, refused where their tail is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.attacks import NotEnoughShadows, calibrated, leave_one_out, per_example
from quantleak.errors import InputError

NOISES = {
    "gaussian": lambda rng, shape: rng.normal(size=shape),
    "t3": lambda rng, shape: rng.standard_t(3, size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
}


def fleet(models, examples, *, shift=0.0, noise="gaussian", seed=0):
    """Exact half design; every example has its own mean and scale, and the shift is in units of that scale."""
    rng = np.random.default_rng(seed)
    member = rng.random((models, examples)).argsort(axis=0) < models // 2
    means, scales = rng.normal(0, 5, examples), rng.lognormal(0, 2, examples)
    return means + scales * (shift * member + NOISES[noise](rng, member.shape)), member


def p_values(signals, member):
    return np.exp(-leave_one_out(per_example, signals, signals, member))


@pytest.mark.parametrize("models", [6, 8, 32])
def test_p_values_of_non_members_are_uniform_whatever_the_difficulty(models):
    signals, member = fleet(models, 20_000, shift=1.0)
    # One target per example: the targets of one example share shadows, examples are independent.
    one = np.where(member, 1.0, np.random.default_rng(1).random(member.shape)).argmin(axis=0)
    found = p_values(signals, member)[one, np.arange(member.shape[1])]
    assert stats.kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("noise", ["gaussian", "lognormal"])
def test_it_equals_its_definition_for_uneven_counts_and_queries(noise):
    rng = np.random.default_rng(2)
    shadows, target = NOISES[noise](rng, (9, 20, 3)), NOISES[noise](rng, (2, 20, 3))
    member, use = rng.random((9, 20)) < 0.5, rng.random((9, 20)) < 0.8
    member[:3], use[:3] = False, True
    expected = np.empty((2, 20))
    for t in range(2):
        for i in range(20):
            out = [shadows[k, i].mean() for k in range(9) if use[k, i] and not member[k, i]]
            error = np.std(out, ddof=1) * np.sqrt(1 + 1 / len(out))
            expected[t, i] = stats.t.sf((target[t, i].mean() - np.mean(out)) / error, len(out) - 1)
    scores = per_example(target, shadows, member, use=use)
    np.testing.assert_allclose(np.exp(-scores), expected, rtol=1e-9)
    np.testing.assert_allclose(per_example(target[1], shadows, member, use=use), scores[1])


@given(power=st.floats(-3, 149))
def test_two_out_shadows_give_the_closed_form_of_cauchy_in_both_tails(power):
    # OUT signals -1 and 1: m = 0, d = sqrt(2), so that t = s / sqrt(3), with one degree of freedom.
    t = 10.0**power
    shadows, member = np.array([[-1.0], [1.0]]), np.zeros((2, 1), dtype=bool)
    up, down = per_example(np.array([[t], [-t]]) * np.sqrt(3), shadows, member)[:, 0]
    tail = np.arctan(1 / t) / np.pi
    np.testing.assert_allclose([up, down], [-np.log(tail), -np.log1p(-tail)], rtol=1e-9)


@pytest.mark.parametrize("count", [3, 32, 400])
def test_the_upper_tail_never_saturates(count):
    # Far out p = c t^-(n - 1): every decade adds (n - 1) ln 10 nats, also where p underflows.
    half = np.linspace(0.5, 1.5, count // 2)
    shadows = np.concatenate([half, -half, np.zeros(count % 2)])[:, None]
    scores = per_example(10.0 ** np.arange(4, 150, 1.0)[:, None], shadows, np.zeros(shadows.shape, dtype=bool))[:, 0]
    np.testing.assert_allclose(np.diff(scores), (count - 1) * np.log(10), rtol=1e-4)


def test_the_two_branches_of_the_upper_tail_meet():
    # With 400 shadows p falls below 1e-290, where the branch changes, near t = 108.
    shadows = stats.norm.ppf((np.arange(400) + 0.5) / 400)[:, None]
    signals = np.linspace(80, 140, 2001)
    scores = per_example(signals[:, None], shadows, np.zeros(shadows.shape, dtype=bool))[:, 0]
    assert scores[0] < 600
    assert scores[-1] > 750
    assert (np.diff(scores) > 0).all()
    assert np.abs(np.diff(scores, 2)).max() < 2e-4


@given(scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
def test_one_affine_map_of_all_signals_of_an_example_changes_nothing(scale, offset, seed):
    rng = np.random.default_rng(seed)
    shadows, target, member = rng.normal(size=(7, 5)), rng.normal(size=5), np.arange(7)[:, None] < np.full(5, 3)
    scores = per_example(target, shadows, member)
    mapped = per_example(scale * target + offset, scale * shadows + offset, member)
    np.testing.assert_allclose(mapped, scores, rtol=1e-5, atol=1e-7)


def test_equal_out_shadows_give_the_p_value_of_ranks():
    # Ten times 0.1 has mean 0.09999999999999999: the fit itself would take rounding for spread.
    shadows, member = np.full((10, 3), 0.1), np.zeros((10, 3), dtype=bool)
    found = np.exp(-per_example(np.array([0.2, 0.1, 0.0]), shadows, member))
    np.testing.assert_allclose(found, [1 / 11, 1.0, 1.0])


def test_p_values_of_repeating_signals_are_valid():
    # Coarse signals: nearly all equal, so that most fits have no spread.
    rng = np.random.default_rng(3)
    member = rng.random((8, 20_000)).argsort(axis=0) < 4
    signals = (rng.random(member.shape) < 0.1).astype(float)
    found = p_values(signals, member)[~member]
    assert np.isfinite(found).all()
    assert (found <= 0.2).mean() <= 0.2 + 0.005


def test_at_least_two_out_shadows_are_needed():
    shadows, member = np.zeros((3, 2)), np.array([[True, False]] * 2 + [[False, False]])
    with pytest.raises(NotEnoughShadows, match=r"2 OUT shadows .*1 of 2 examples .*example 0 with 2 IN and 1 OUT"):
        per_example(np.zeros(2), shadows, member)


@pytest.mark.parametrize(("models", "shift"), [(8, 3.0), (32, 2.0), (128, 1.0)])
def test_a_known_shift_is_found_with_the_power_of_the_t_test(models, shift):
    count, alpha = models // 2 - 1, 0.05
    signals, member = fleet(models, 3000, shift=shift)
    found = calibrated(p_values(signals, member), member, (alpha,))[alpha]
    expected = stats.nct.sf(stats.t.isf(alpha, count - 1), count - 1, shift / np.sqrt(1 + 1 / count))
    assert found.tpr == pytest.approx(expected, abs=0.01)
    assert found.achieved == pytest.approx(alpha, abs=0.005)
    if models == 128:
        assert found.tpr == pytest.approx(stats.norm.sf(stats.norm.isf(alpha) - shift), abs=0.015)


def test_no_signal_gives_the_claimed_rate_to_members_and_others():
    signals, member = fleet(16, 10_000)
    for alpha, found in calibrated(p_values(signals, member), member, (0.001, 0.01, 0.1)).items():
        assert found.alpha == alpha
        assert found.tpr == pytest.approx(alpha, rel=0.2)
        assert found.achieved == pytest.approx(alpha, rel=0.2)
        assert found.spread < 0.02


@pytest.mark.parametrize(("noise", "alpha"), [("t3", 0.001), ("lognormal", 0.001), ("lognormal", 0.01)])
def test_a_heavy_tail_is_refused_where_it_misses_alpha(noise, alpha):
    signals, member = fleet(64, 2000, shift=2.0, noise=noise)
    found = calibrated(p_values(signals, member), member, (alpha,))[alpha]
    assert found.tpr is None
    assert found.achieved > 1.5 * alpha
    assert found.reason.startswith(f"p-values that claim FPR {alpha:g} achieve {found.achieved:.2g} on 64000")
    assert found.values.shape == (64,)


def test_a_rate_that_stays_below_its_claim_is_refused_too():
    member = np.arange(1000)[None] < np.full((4, 1), 500)
    grid = np.where(member, 0.5, np.tile((np.arange(500) + 0.5) / 500, 2))
    assert calibrated(grid, member, (0.1,))[0.1].tpr == 0.0
    assert calibrated(np.minimum(1, 1.4 * grid), member, (0.1,))[0.1].tpr == 0.0
    for factor in (1.6, 0.6):
        assert calibrated(np.minimum(1, factor * grid), member, (0.1,))[0.1].tpr is None


def test_too_few_non_members_cannot_judge():
    member = np.arange(400)[None] < np.full((4, 1), 200)
    found = calibrated(np.where(member, 0.001, 0.5), member, (0.02, 0.025))
    assert found[0.02].reason == "FPR 0.02 needs 1000 non-member cells to judge what the p-values claim, there are 800"
    assert found[0.02].tpr is None
    assert found[0.025].reason.startswith("p-values that claim FPR 0.025 achieve 0 on 800")
    assert calibrated(np.zeros((1, 3)), np.ones((1, 3), dtype=bool), (0.5,))[0.5].tpr is None


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.05, 0.15), (0.0, 0.2)])
def test_the_spread_is_that_of_the_examples_rates_without_binomial_noise(rates):
    rng = np.random.default_rng(4)
    own = np.repeat(rates, 10_000)
    member = rng.random((12, 20_000)) < 0.5
    draws = np.where(rng.random(member.shape) < own, 0.05, 0.5)
    assert calibrated(draws, member, (0.1,))[0.1].spread == pytest.approx(np.std(rates), abs=0.015)


def test_there_is_no_spread_without_two_targets():
    assert calibrated(np.full((1, 50), 0.5), np.arange(50)[None] < 25, (0.9,))[0.9].spread is None


def test_influence_is_what_leaving_an_example_out_changes():
    rng = np.random.default_rng(5)
    member, draws = rng.random((3, 40)) < 0.5, rng.random((3, 40))
    found = calibrated(draws, member, (0.5,))[0.5]
    np.testing.assert_allclose(found.influence.sum(axis=1), 0, atol=1e-12)
    members = member.sum(axis=1)
    for i in range(40):
        rest = np.arange(40) != i
        change = found.values - calibrated(draws[:, rest], member[:, rest], (0.5,))[0.5].values
        # The influence is scaled by sqrt(n / (n - 1)), so that its squares add up to the unbiased variance.
        expected = found.influence[:, i] * np.sqrt(members / (members - 1))
        np.testing.assert_allclose(change, expected, atol=1e-12)


def test_the_value_is_the_mean_over_targets_of_the_shares():
    draws, member = np.array([[0.01, 0.2, 0.5, 0.9], [0.01, 0.02, 0.03, 0.9]]), np.array([[1, 1, 0, 0], [1, 1, 1, 0]])
    found = calibrated(np.tile(draws, 100), np.tile(member, 100), (0.5,))[0.5]
    np.testing.assert_allclose(found.values, [1.0, 1.0])
    assert found.achieved == pytest.approx(1 / 3)
    assert found.tpr == 1.0
    found = calibrated(np.tile(draws, 100), np.tile(member, 100), (0.1,))[0.1]
    np.testing.assert_allclose(found.values, [0.5, 1.0])
    assert found.tpr is None


def test_bad_input_is_refused():
    member = np.array([[True, False]])
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        calibrated(np.array([[2.0, 0.1]]), member, (0.1,))
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        calibrated(np.array([[np.nan, 0.1]]), member, (0.1,))
    with pytest.raises(InputError, match="targets, examples"):
        calibrated(np.array([0.1]), member, (0.1,))
    with pytest.raises(InputError, match="target 0 has none"):
        calibrated(np.array([[0.1, 0.1]]), ~member & member, (0.1,))
    with pytest.raises(InputError, match=r"between 0 and 1, got 1\.0"):
        calibrated(np.array([[0.1, 0.1]]), member, (0.1, 1.0))
