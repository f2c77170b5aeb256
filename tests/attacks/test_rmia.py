"""RMIA against the table of all pairs (R1), its marginals (R2), and what its ties and gamma may and may not change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_curve
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from quantleak.attacks import RMIA, NotEnoughShadows, leave_one_out, log_probability, rmia, roc
from quantleak.errors import InputError


def naive(target, shadows, member, population_target, population_shadows, convention):
    """Oracle: probabilities example by example, then the whole N x M table of log ratios."""

    def marginal(probabilities, inside):
        outside = probabilities[~inside].mean()
        if inside.any() and convention.mode == "online":
            return (probabilities[inside].mean() + outside) / 2
        return ((1 + convention.a) * outside + 1 - convention.a) / 2

    def marginal_z(probabilities):
        if convention.population_references == "largest-half":
            # What the tool sorts: probabilities times "is OUT", here of everyone; descending, the first half.
            probabilities = np.array(sorted(probabilities, reverse=True)[: max(len(probabilities) // 2, 1)])
        return marginal(probabilities, np.zeros(len(probabilities), dtype=bool))

    examples, points = target.size, population_target.size
    r_x = [target[i] - np.log(marginal(np.exp(shadows[:, i]), member[:, i])) for i in range(examples)]
    r_z = [population_target[j] - np.log(marginal_z(np.exp(population_shadows[:, j]))) for j in range(points)]
    table = np.array(r_x)[:, None] - np.array(r_z)[None]
    gamma = np.log(convention.gamma)
    return (table > gamma if convention.strict else table >= gamma).sum(axis=1), np.array(r_x)


def assert_counts(scores, counts, points):
    """The integer part of a score times M + 1 is the count."""
    assert (scores * (points + 1) >= counts * (1 - 1e-15)).all()
    assert (scores * (points + 1) < counts + 1).all()


@pytest.mark.parametrize("name", RMIA.presets())
@pytest.mark.parametrize("references", [1, 2, 3, 6, 7])
def test_sorting_equals_the_table_of_all_pairs(name, references):
    rng = np.random.default_rng(references)
    shadows, z_shadows = -rng.exponential(size=(references, 80)), -rng.exponential(size=(references, 50))
    member = rng.random((references, 80)).argsort(axis=0) < references // 2
    target, z = -rng.exponential(size=80), -rng.exponential(size=50)
    convention = RMIA.preset(name)
    if references == 1:
        convention = replace(convention, mode="offline")
    counts, ratio = naive(target, shadows, member, z, z_shadows, convention)
    run = partial(rmia, target, shadows, member, population_target=z, population_shadows=z_shadows)
    np.testing.assert_array_equal(run(convention=replace(convention, tie_break=False)), counts / 50)
    scores = run(convention=replace(convention, tie_break=True))
    assert_counts(scores, counts, 50)
    assert (np.diff(scores[np.argsort(ratio)]) > 0).all()


def test_ml_privacy_meter_is_the_tools_rule():
    """Of an exact half design: sort probability times "is OUT", keep the largest half, for pool and population alike.

    The tool's probabilities are not logarithms; it wins where the ratio is above 1, and its a is 0.3 unless tuned.
    """
    rng = np.random.default_rng(0)
    shadows, z_shadows = rng.uniform(0.05, 1, size=(8, 60)), rng.uniform(0.05, 1, size=(8, 40))
    target, z = rng.uniform(0.05, 1, size=60), rng.uniform(0.05, 1, size=40)
    member = rng.random((8, 60)).argsort(axis=0) < 4

    def denominator(probabilities, outside):
        kept = np.sort(probabilities * outside, axis=0)[::-1][: len(probabilities) // 2]
        return 1.3 / 2 * kept.mean(axis=0) + 0.7 / 2

    ratio_x = target / denominator(shadows, ~member)
    ratio_z = z / denominator(z_shadows, np.ones_like(z_shadows))
    expected = [np.mean([x / y > 1 for y in ratio_z]) for x in ratio_x]
    scores = rmia(
        np.log(target),
        np.log(shadows),
        member,
        population_target=np.log(z),
        population_shadows=np.log(z_shadows),
        convention=RMIA.preset("ml_privacy_meter"),
    )
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def vertices(scores, member):
    """All vertices of a ROC curve, by scikit-learn."""
    return np.array(roc_curve(member, scores, drop_intermediate=False)[:2])


def tpr(scores, member, fpr):
    """The largest TPR of a vertex with at most this FPR, the mean over models."""
    curves = [vertices(*row) for row in zip(scores, member, strict=True)]
    return np.mean([curve[1][curve[0] <= fpr].max() for curve in curves])


@pytest.mark.parametrize("seed", range(20))
def test_the_curve_of_every_target_is_that_of_its_ratio_for_confident_models(seed):
    # Nearly every ratio lies below gamma times all population ratios: the bare count is then 0 for most examples.
    rng = np.random.default_rng(seed)
    models, examples, points = 16, 1000, 100
    member = rng.random((models, examples)).argsort(axis=0) < models // 2
    noise = partial(rng.normal, 0, 0.3)
    pool = log_probability(rng.normal(2, 1, examples) + noise(size=member.shape) + 0.3 * member)
    z = log_probability(rng.normal(2, 1, points) + noise(size=(models, points)))
    attack = partial(leave_one_out, targets=pool, shadows=pool, member=member, balance=False)
    scores = attack(rmia, population_targets=z, population_shadows=z)
    p = np.exp(pool.astype(np.longdouble))
    for t in range(models):
        others, inside = np.delete(p, t, axis=0), np.delete(member, t, axis=0)
        mean_in = (others * inside).sum(axis=0) / inside.sum(axis=0)
        mean_out = (others * ~inside).sum(axis=0) / (~inside).sum(axis=0)
        ratio = p[t] / ((mean_in + mean_out) / 2)
        np.testing.assert_array_equal(vertices(scores[t], member[t]), vertices(ratio.astype(float), member[t]))
    scores = attack(rmia, population_targets=z, population_shadows=z, balance=None)
    bare = attack(partial(rmia, convention=RMIA(tie_break=False)), population_targets=z, population_shadows=z)
    assert tpr(scores, member, 0.1) == pytest.approx(0.30, abs=0.04)
    assert tpr(bare, member, 0.1) < 0.08


def test_the_curve_of_every_target_is_that_of_its_ratio_on_trained_networks():
    x, y = load_breast_cancer(return_X_y=True)
    x, models = scale(x), 8
    rng = np.random.default_rng(0)
    order = rng.permutation(len(y))
    pool, z = order[:360], order[360:]
    member = rng.random((models, pool.size)).argsort(axis=0) < models // 2
    phi, phi_z = np.empty((models, pool.size)), np.empty((models, z.size))
    for t in range(models):
        rows = pool[member[t]]
        network = MLPClassifier(16, solver="lbfgs", alpha=0.1, max_iter=2000, random_state=t).fit(x[rows], y[rows])
        for at, found in ((pool, phi), (z, phi_z)):
            hidden = np.maximum(x[at] @ network.coefs_[0] + network.intercepts_[0], 0)
            found[t] = (2 * y[at] - 1) * (hidden @ network.coefs_[1] + network.intercepts_[1])[:, 0]
    signals, signals_z = log_probability(phi), log_probability(phi_z)
    run = partial(leave_one_out, targets=signals, shadows=signals, member=member, balance=False)
    run = partial(run, population_targets=signals_z, population_shadows=signals_z)
    scores, bare = run(rmia), run(partial(rmia, convention=RMIA(tie_break=False)))
    with localcontext(prec=60):
        p = np.array([[1 / (1 + (-Decimal(value)).exp()) for value in row] for row in phi])
        for t in range(models):
            others, inside = np.delete(p, t, axis=0), np.delete(member, t, axis=0)
            means = [np.where(side, others, 0).sum(axis=0) / side.sum(axis=0) for side in (inside, ~inside)]
            ratio = 2 * p[t] / (means[0] + means[1])
            place = {value: i for i, value in enumerate(sorted(set(ratio)))}
            exact = np.array([place[value] for value in ratio])
            np.testing.assert_array_equal(vertices(scores[t], member[t]), vertices(exact, member[t]))
            assert np.unique(bare[t]).size < np.unique(exact).size / 3


def test_informia_has_the_same_curve():
    # Its score is ln r(x) + KL(p(z) || p(z | theta)), and the second term is one number for a target.
    rng = np.random.default_rng(4)
    member = rng.random((8, 200)).argsort(axis=0) < 4
    signals, z = (
        log_probability(rng.normal(2, 1, 200) + rng.normal(size=(8, 200)) + member),
        -rng.exponential(size=(8, 30)),
    )
    ours = rmia(signals[0], signals[1:], member[1:], population_target=z[0], population_shadows=z[1:])
    p, p_z = np.exp(signals), np.exp(z)
    marginal = [np.mean([p[1:, i][member[1:, i]].mean(), p[1:, i][~member[1:, i]].mean()]) for i in range(200)]
    weights = p_z[1:].mean(axis=0) / p_z[1:].mean(axis=0).sum()
    informia = np.log(p[0] / marginal) + np.sum(weights * np.log(weights / (p_z[0] / p_z[0].sum())))
    np.testing.assert_array_equal(vertices(ours, member[0]), vertices(informia, member[0]))


ratios = st.floats(-50, 5) | st.floats(-1e-9, 1e-9) | st.integers(-6, 0).map(float)


def of_ratios(x, z, **convention):
    """Scores where ln r is the target's signal itself: one OUT reference with p = 1, and a = 1."""
    return rmia(
        np.array(x),
        np.zeros((1, len(x))),
        np.zeros((1, len(x)), dtype=bool),
        population_target=np.array(z),
        population_shadows=np.zeros((1, len(z))),
        convention=RMIA(mode="offline", a=1.0, **convention),
    )


@given(
    x=st.lists(ratios, min_size=2, max_size=12).map(sorted),
    z=st.lists(ratios, min_size=1, max_size=12),
    gamma=st.sampled_from([0.5, 1.0, float(np.exp(1.0)), 2.0]),
    strict=st.booleans(),
)
def test_scores_rise_with_the_ratio_and_their_integer_part_is_the_count(x, z, gamma, strict):
    scores = of_ratios(x, z, gamma=gamma, strict=strict)
    assert (np.diff(scores) >= 0).all()
    assert 0 <= scores.min() <= scores.max() < 1
    table = np.array(x)[:, None] - np.array(z)[None]
    wins = table > np.log(gamma) if strict else table >= np.log(gamma)
    assert_counts(scores, wins.sum(axis=1), len(z))
    # A pure function of the ratio: who else is scored does not matter.
    np.testing.assert_array_equal(of_ratios(x[:1], z, gamma=gamma, strict=strict), scores[:1])


@pytest.mark.parametrize(
    ("ratio", "step"),
    [(r, 1e-12 * abs(r)) for r in (-700.0, -3.0, -1.0, -0.5, -1e-3, -1e-9, -1e-18, 1e-18, 1e-9, 0.3)]
    + [(0.0, 1e-12), (0.0, 1e-300), (-1e-300, 1e-309)],
)
def test_the_most_confident_below_every_threshold_stay_apart(ratio, step):
    # Ratios next to 1 and thresholds above: where the members of a confident model are.
    scores = of_ratios([ratio, ratio + step, ratio + 2 * step], [0.0] * 5 + [0.2] * 40)
    assert (scores < 1 / 46).all()
    assert (np.diff(scores) > 0).all()


@pytest.mark.parametrize("x", [[-1.0, -1 + 1e-9, -0.5, 0.0], [1.0, 1 + 1e-9, 5.0, 1e6]])
def test_between_and_above_the_thresholds_they_stay_apart_too(x):
    assert (np.diff(of_ratios(x, [-3.0, 0.5 - np.log(2)])) > 0).all()


@given(
    x=st.lists(st.integers(-6, 0), min_size=1, max_size=12),
    z=st.lists(st.integers(-6, 0), min_size=1, max_size=12),
    gamma=st.sampled_from([0.5, 1.0, float(np.exp(1.0)), 2.0]),
    strict=st.booleans(),
)
def test_ties_fall_as_in_the_table_of_all_pairs(x, z, gamma, strict):
    # One OUT reference with p = 1 and a = 1: ln r is the target's signal itself, on a grid full of ties.
    x, z = np.array(x) * 1.0, np.array(z) * 1.0
    scores = of_ratios(x, z, gamma=gamma, strict=strict, tie_break=False)
    table = x[:, None] - z[None]
    expected = table > np.log(gamma) if strict else table >= np.log(gamma)
    np.testing.assert_array_equal(scores, expected.mean(axis=1))


@pytest.mark.parametrize("tie_break", [True, False])
def test_with_many_points_the_curve_is_that_of_the_ratio_and_gamma_only_calibrates(tie_break):
    rng = np.random.default_rng(1)
    member = rng.random(300) < 0.5
    target, z = rng.normal(size=300) + member - 5, rng.normal(size=200_000) * 2 - 5
    shadows, z_shadows = rng.normal(size=(1, 300)) - 5, np.full((1, 200_000), -5.0)
    auc = []
    for gamma in (1.0, 2.0):
        convention = RMIA(mode="offline", gamma=gamma, a=1.0, tie_break=tie_break)
        out = np.zeros((1, 300), dtype=bool)
        scores = rmia(target, shadows, out, population_target=z, population_shadows=z_shadows, convention=convention)
        ratio = target - shadows[0]
        assert stats.spearmanr(ratio, scores).statistic > 0.9999
        assert (np.diff(scores[np.argsort(ratio)]) >= 0).all()
        auc.append((roc(scores, member).auc, scores.mean()))
    assert auc[0][0] == pytest.approx(auc[1][0], abs=1e-3)
    assert auc[0][1] > auc[1][1] + 0.05


@pytest.mark.parametrize(("a", "expected"), [(1.0, 0.4), (0.0, 0.7)])
def test_the_offline_marginal_at_both_ends_of_a(a, expected):
    # R2: p_OUT = 0.4; the score steps from 0 to 1 where the target passes p(x) r(z), with r(z) = 1 by construction.
    shadows = np.log(np.array([[0.3], [0.5]]))
    for factor, score in ((1 + 1e-9, 1.0), (1 - 1e-9, 0.0)):
        scores = rmia(
            np.log(np.array([expected * factor])),
            shadows,
            np.zeros((2, 1), dtype=bool),
            population_target=np.log(np.array([expected])),
            population_shadows=shadows,
            convention=RMIA(mode="offline", gamma=1.0, a=a, tie_break=False),
        )
        assert scores[0] == score


def test_several_targets_queries_and_use():
    rng = np.random.default_rng(2)
    target, shadows = -rng.exponential(size=(3, 20, 2)), -rng.exponential(size=(6, 20, 2))
    z, z_shadows = -rng.exponential(size=(3, 30)), -rng.exponential(size=(6, 30))
    member = rng.random((6, 20)).argsort(axis=0) < 3
    together = rmia(target, shadows, member, population_target=z, population_shadows=z_shadows)
    assert together.shape == (3, 20)
    one = [
        rmia(target[1, :, q], shadows[:, :, q], member, population_target=z[1], population_shadows=z_shadows)
        for q in range(2)
    ]
    np.testing.assert_allclose(together[1], np.mean(one, axis=0))
    use = np.arange(6)[:, None] < np.full(20, 5)
    member[4], member[5] = True, True
    member[0], member[1] = False, True
    read = rmia(target, shadows, member, population_target=z, population_shadows=z_shadows, use=use)
    spoilt = shadows.copy()
    spoilt[5] = 600.0
    again = rmia(target, spoilt, member, population_target=z, population_shadows=z_shadows, use=use)
    np.testing.assert_array_equal(read, again)


def test_tiny_probabilities_do_not_underflow():
    shadows = np.array([[-2000.0], [-2001.0]])
    scores = rmia(
        np.array([-1990.0]),
        shadows,
        np.array([[True], [False]]),
        population_target=np.array([-1.0]),
        population_shadows=np.array([[-1.0], [-1.0]]),
        convention=RMIA(a=1.0, gamma=1.0, tie_break=False),
    )
    assert scores[0] == 1.0


def test_bad_input_is_refused():
    arrays = {"population_target": np.zeros(2), "population_shadows": np.zeros((2, 2))}
    out = np.zeros((2, 3), dtype=bool)
    with pytest.raises(NotEnoughShadows, match="RMIA online needs 1 IN shadows and 1 OUT"):
        rmia(np.zeros(3), np.zeros((2, 3)), out, **arrays)
    with pytest.raises(NotEnoughShadows, match="RMIA offline needs 1 OUT shadows"):
        rmia(np.zeros(3), np.zeros((2, 3)), ~out, convention=RMIA(mode="offline"), **arrays)
    with pytest.raises(InputError, match="as many targets"):
        rmia(np.zeros((2, 3)), np.zeros((2, 3)), out, convention=RMIA(mode="offline"), **arrays)
    with pytest.raises(InputError, match=r"population_shadows must be .* not empty"):
        rmia(
            np.zeros(3),
            np.zeros((2, 3)),
            out,
            population_target=np.zeros(0),
            population_shadows=np.zeros((2, 0)),
            convention=RMIA(mode="offline"),
        )
    arrays["population_target"][1] = np.nan
    with pytest.raises(InputError, match="population_target has 1 NaN"):
        rmia(np.zeros(3), np.zeros((2, 3)), out, convention=RMIA(mode="offline"), **arrays)
    with pytest.raises(InputError, match="a between 0 and 1"):
        RMIA(a=1.5)
    with pytest.raises(InputError, match="online, offline"):
        # Called directly, because the type checker of the tests would stop the constructor first.
        RMIA.__post_init__(SimpleNamespace(mode="onlin", gamma=1.0, a=0.0))
    with pytest.raises(InputError, match="all, largest-half, got 'half'"):
        RMIA.__post_init__(SimpleNamespace(mode="online", population_references="half"))
    with pytest.raises(InputError, match="Did you mean 'rmia2024'"):
        RMIA.preset("rmia")
    assert RMIA(**{k: v for k, v in RMIA().to_dict().items() if k != "name"}) == RMIA()
