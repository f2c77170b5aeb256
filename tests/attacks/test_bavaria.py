"""BaVarIA against SciPy, against numerical integration of its posterior, and its limits: LiRA at either end."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from quantleak.attacks import BaVarIA, LiRA, NotEnoughShadows, bavaria, leave_one_out, lira, roc
from quantleak.errors import InputError
from quantleak.testing import check_attack

EVERY = [
    BaVarIA(mode=mode, centre_count=centre, variance_count=variance)
    for mode in ("online", "offline")
    for centre in (None, 0.0, 2.5)
    for variance in (None, 0.5, 40.0)
]


def draw(models: int, examples: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    member = rng.random((models, examples)).argsort(axis=0) < models // 2
    means, spread = rng.normal(0, 3, examples), np.exp(rng.normal(0, 0.5, examples))
    signals = means + spread * (member + rng.normal(size=member.shape))
    return signals[0], signals[1:], member[1:]


def predictive(values, m_0, kappa_0, nu_0, variance_0):
    """Oracle: the update in Murphy's form (alpha, beta), one row, as a frozen SciPy distribution."""
    n = len(values)
    kappa, alpha = kappa_0 + n, (nu_0 + n) / 2
    beta = nu_0 * variance_0 / 2 + 0.5 * n * np.var(values) + kappa_0 * n * (np.mean(values) - m_0) ** 2 / (2 * kappa)
    centre = (kappa_0 * m_0 + np.sum(values)) / kappa
    return stats.t(2 * alpha, centre, np.sqrt(beta * (kappa + 1) / (alpha * kappa)))


def groups(shadows, member):
    return [[column[inside == side] for column, inside in zip(shadows.T, member.T, strict=True)] for side in (1, 0)]


def prior_of(group):
    means = np.array([np.mean(values) for values in group])
    squares = sum(np.var(values) * len(values) for values in group)
    return means.mean(), squares / sum(len(values) - 1 for values in group)


def test_it_is_the_log_ratio_of_student_densities():
    target, shadows, member = draw(13, 40)
    expected = 0.0
    for sign, group in zip((1, -1), groups(shadows, member), strict=True):
        m_0, pooled = prior_of(group)
        expected = expected + sign * np.array(
            [predictive(values, m_0, 2.5, 6.0, pooled).logpdf(s) for values, s in zip(group, target, strict=True)]
        )
    scores = bavaria(target, shadows, member, convention=BaVarIA(centre_count=2.5, variance_count=6.0))
    np.testing.assert_allclose(scores, expected, rtol=1e-10, atol=1e-10)


def test_the_predictive_is_the_posterior_integrated_over_mean_and_variance():
    target, shadows, member = draw(9, 12, seed=1)
    scores = bavaria(target, shadows, member, convention=BaVarIA(centre_count=1.5, variance_count=3.0))
    for i in (0, 5, 11):
        densities = []
        for group in groups(shadows, member):
            m_0, pooled = prior_of(group)
            densities.append(integrated(target[i], group[i], m_0, 1.5, 3.0, pooled))
        assert scores[i] == pytest.approx(np.log(densities[0] / densities[1]), abs=1e-5)


def integrated(s, values, m_0, kappa_0, nu_0, variance_0):
    """Oracle: integral of N(s; mu, v) times prior times likelihood over that of prior times likelihood."""
    middle = (kappa_0 * m_0 + np.sum(values)) / (kappa_0 + len(values))

    def integral(read):
        def inner(log_v):
            v = np.exp(log_v)[:, None]
            width = 10 * np.sqrt(v / (kappa_0 + len(values)))
            nodes, weights = np.polynomial.legendre.leggauss(80)
            mu = middle + width * nodes
            density = stats.norm.pdf(mu, m_0, np.sqrt(v / kappa_0)) * v
            density *= stats.invgamma.pdf(v, nu_0 / 2, scale=nu_0 * variance_0 / 2)
            for value in read:
                density = density * stats.norm.pdf(value, mu, np.sqrt(v))
            return (density * weights * width).sum(axis=1)

        limits = np.log(variance_0) + np.array([-9, 12])
        return integrate.fixed_quad(inner, *limits, n=200)[0]

    return integral([*values, s]) / integral(values)


def test_without_a_prior_and_with_many_shadows_it_is_lira():
    rng = np.random.default_rng(2)
    member = np.arange(40_000)[:, None] < np.full(5, 20_000)
    shadows = rng.normal(size=member.shape) * np.exp(rng.normal(size=5)) + member
    target = shadows.mean(axis=0) + np.array([-2, -1, 0.3, 1, 2])
    ours = bavaria(target, shadows, member, convention=BaVarIA(centre_count=0.0, variance_count=0.0))
    theirs = lira(target, shadows, member, convention=LiRA(variance="example", centre="mean"))
    np.testing.assert_allclose(ours, theirs, rtol=0.005, atol=0.005)


def test_under_an_overwhelming_variance_prior_it_is_lira_with_the_groups_pooled_variance():
    # Up to the variance of a new signal around an estimated centre, 1 + 1/n times that of one around the truth.
    target, shadows, member = draw(13, 50, seed=3)
    expected = 0.0
    for sign, group in zip((1, -1), groups(shadows, member), strict=True):
        _, pooled = prior_of(group)
        for i, values in enumerate(group):
            scale = np.sqrt(pooled * (1 + 1 / len(values)))
            expected = expected + sign * np.eye(50)[i] * stats.norm.logpdf(target[i], np.mean(values), scale)
    scores = bavaria(target, shadows, member, convention=BaVarIA(centre_count=0.0, variance_count=1e12))
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6)


def test_an_overwhelming_centre_prior_leaves_nothing_of_the_examples():
    _, shadows, member = draw(13, 50, seed=4)
    scores = bavaria(np.ones(50), shadows, member, convention=BaVarIA(centre_count=1e12, variance_count=1e12))
    assert np.ptp(scores) < 1e-6
    assert np.ptp(bavaria(np.ones(50), shadows, member)) > 1


def test_the_estimated_centre_count_is_the_true_one():
    # Means scatter with 4 times the variance of signals: kappa_0 = 1/4. Equal scores, within the error of the estimate.
    rng = np.random.default_rng(5)
    shadows = rng.normal(0, 2, 40_000) + rng.normal(size=(6, 40_000))
    member = np.broadcast_to(np.arange(6)[:, None] < 3, shadows.shape)
    target = np.linspace(-6, 6, 40_000)
    estimated = bavaria(target, shadows, member, convention=BaVarIA(variance_count=50.0))
    true = bavaria(target, shadows, member, convention=BaVarIA(variance_count=50.0, centre_count=0.25))
    np.testing.assert_allclose(estimated, true, atol=0.05)
    far = bavaria(target, shadows, member, convention=BaVarIA(variance_count=50.0, centre_count=1.0))
    assert np.abs(far - true).max() > 0.5


@pytest.mark.parametrize("freedom", [2, 5, 8, 30, 1e6])
def test_offline_scores_are_nearly_the_normal_deviates_of_the_upper_tail(freedom):
    # Two shadows at +-1 and a prior of the same variance, of which the predictive is known.
    shadows = np.array([[1.0], [-1.0]])
    convention = BaVarIA(mode="offline", centre_count=0.0, variance_count=float(freedom - 2))
    target = np.concatenate([np.linspace(-8, 8, 81), [100.0, 1e6]])
    columns = np.repeat(shadows, target.size, axis=1)
    scores = bavaria(target, columns, np.zeros_like(columns, dtype=bool), convention=convention)
    variance = ((freedom - 2) * 2 + 2) / freedom
    tail = stats.t.logsf(target, freedom, 0, np.sqrt(variance * 1.5))
    seen = (tail > -700) & (target <= 100)
    exact, error = stats.norm.isf(np.exp(tail[seen])), 0.06 if freedom < 8 else 0.02
    np.testing.assert_allclose(scores[seen], exact, rtol=error, atol=1e-9)
    assert (np.diff(scores) > 0).all()


@pytest.mark.parametrize("convention", EVERY, ids=str)
def test_symmetries(convention):
    rng = np.random.default_rng(6)
    shadows, target = rng.normal(size=(14, 40, 3)), rng.normal(size=(2, 40, 3))
    member = rng.random((14, 40)).argsort(axis=0) < 7
    scores = bavaria(target, shadows, member, convention=convention)
    mapped = bavaria(2.5 * target - 7, 2.5 * shadows - 7, member, convention=convention)
    np.testing.assert_allclose(mapped, scores, rtol=1e-7, atol=1e-9)
    models, examples, queries = rng.permutation(14), rng.permutation(40), rng.permutation(3)
    shuffled = bavaria(
        target[:, examples][:, :, queries],
        shadows[models][:, examples][:, :, queries],
        member[models][:, examples],
        convention=convention,
    )
    np.testing.assert_allclose(shuffled, scores[:, examples], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bavaria(target[1], shadows, member, convention=convention), scores[1], rtol=1e-12)
    if convention.mode == "online":
        np.testing.assert_array_equal(bavaria(target, shadows, ~member, convention=convention), -scores)


@pytest.mark.parametrize("convention", EVERY, ids=str)
def test_offline_never_reads_in_shadows_and_nobody_reads_unused_ones(convention):
    target, shadows, member = draw(11, 20, seed=7)
    scores = bavaria(target, shadows, member, convention=convention)
    if convention.mode == "offline":
        spoilt = np.where(member, 1e6, shadows)
        np.testing.assert_array_equal(bavaria(target, spoilt, member, convention=convention), scores)
    use = np.arange(10)[:, None] < np.full(20, 9)
    read = bavaria(target, shadows, member, convention=convention, use=use)
    cut = bavaria(target, shadows[:9], member[:9], convention=convention)
    np.testing.assert_allclose(cut, read, rtol=1e-9, atol=1e-12)
    assert not np.allclose(scores, read)


@given(seed=st.integers(0, 1000), step=st.floats(1e-6, 5.0))
def test_a_higher_signal_is_never_worth_less_offline(seed, step):
    target, shadows, member = draw(9, 30, seed=seed)
    convention = BaVarIA(mode="offline")
    lower, higher = (bavaria(s, shadows, member, convention=convention) for s in (target, target + step))
    assert (higher > lower).all()


def test_repeated_signals_do_not_explode():
    # Quantized scores repeat: every shadow of example 0 gives the same, and the target differs by one step.
    rng = np.random.default_rng(8)
    shadows = np.round(rng.normal(size=(8, 50)), 1)
    shadows[:, 0] = 0.5
    member = np.arange(8)[:, None] < np.full(50, 4)
    assert np.abs(bavaria(np.full(50, 0.6), shadows, member)).max() < 50
    constant = bavaria(np.full(50, 0.6), np.full((8, 50), 0.5), member)
    assert np.isfinite(constant).all()


def test_with_few_shadows_it_is_as_strong_as_lira(fleet):
    auc = {}
    for seed in range(4):
        world = fleet(8, 2000, seed=seed)
        for attack in (lira, bavaria):
            scores = leave_one_out(attack, world.signals, world.signals, world.member)
            mean = np.mean([roc(*row).auc for row in zip(scores, world.member, strict=True)])
            auc.setdefault(attack.__name__, []).append(mean)
    assert np.mean(auc["bavaria"]) > np.mean(auc["lira"]) + 0.01


@pytest.mark.parametrize("name", BaVarIA.presets())
def test_presets_pass_the_suite_for_attacks_and_serialise(name):
    convention = BaVarIA.preset(name)
    check_attack(partial(bavaria, convention=convention))
    fields = convention.to_dict()
    assert fields.pop("name") == "bavaria"
    assert BaVarIA(**fields) == convention


def test_too_few_shadows_and_bad_conventions_are_refused():
    shadows, member = np.arange(6.0).reshape(2, 3), np.array([[True] * 3, [False] * 3])
    with pytest.raises(NotEnoughShadows, match="one example with two shadows in each group.*at least 6"):
        bavaria(np.zeros(3), shadows, member)
    with pytest.raises(NotEnoughShadows, match="BaVarIA online needs 1 IN shadows and 1 OUT"):
        bavaria(np.zeros(3), shadows, np.zeros_like(member))
    assert np.isfinite(bavaria(np.zeros(3), shadows, ~member & member, convention=BaVarIA(mode="offline"))).all()
    with pytest.raises(InputError, match="target has 1 NaN"):
        bavaria(np.array([0, np.nan, 0]), shadows, member)
    with pytest.raises(InputError, match="Did you mean 'offline'"):
        BaVarIA.preset("ofline")
    for wrong in ({"floor": 0.0}, {"centre_count": -1.0}, {"variance_count": np.inf}):
        with pytest.raises(InputError, match="counts that are 0 or larger and finite"):
            BaVarIA(**wrong)
    with pytest.raises(InputError, match="one of online, offline, got 'onlin'"):
        # Called directly, because the type checker of the tests would stop the constructor first.
        BaVarIA.__post_init__(SimpleNamespace(mode="onlin"))
