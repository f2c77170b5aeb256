"""RMIA against the table of all pairs (R1), its marginals (R2), and what gamma may and may not change."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.attacks import RMIA, NotEnoughShadows, rmia, roc
from quantleak.errors import InputError


def naive(target, shadows, member, population_target, population_shadows, convention):
    """Oracle: probabilities example by example, then the whole N x M table of log ratios."""

    def marginal(probabilities, inside):
        outside = probabilities[~inside].mean()
        if inside.any() and convention.mode == "online":
            return (probabilities[inside].mean() + outside) / 2
        return ((1 + convention.a) * outside + 1 - convention.a) / 2

    examples, points = target.size, population_target.size
    nobody = np.zeros(len(shadows), dtype=bool)
    r_x = [target[i] - np.log(marginal(np.exp(shadows[:, i]), member[:, i])) for i in range(examples)]
    r_z = [population_target[j] - np.log(marginal(np.exp(population_shadows[:, j]), nobody)) for j in range(points)]
    table = np.array(r_x)[:, None] - np.array(r_z)[None]
    gamma = np.log(convention.gamma)
    return (table > gamma if convention.strict else table >= gamma).mean(axis=1), np.array(r_x)


@pytest.mark.parametrize("name", RMIA.presets())
@pytest.mark.parametrize("seed", range(3))
def test_sorting_equals_the_table_of_all_pairs(name, seed):
    rng = np.random.default_rng(seed)
    shadows, member = -rng.exponential(size=(6, 80)), rng.random((6, 80)).argsort(axis=0) < 3
    target, z, z_shadows = -rng.exponential(size=80), -rng.exponential(size=50), -rng.exponential(size=(6, 50))
    convention = RMIA.preset(name)
    expected, _ = naive(target, shadows, member, z, z_shadows, convention)
    scores = rmia(target, shadows, member, population_target=z, population_shadows=z_shadows, convention=convention)
    np.testing.assert_array_equal(scores, expected)


@given(
    x=st.lists(st.integers(-6, 0), min_size=1, max_size=12),
    z=st.lists(st.integers(-6, 0), min_size=1, max_size=12),
    gamma=st.sampled_from([0.5, 1.0, float(np.exp(1.0)), 2.0]),
    strict=st.booleans(),
)
def test_ties_fall_as_in_the_table_of_all_pairs(x, z, gamma, strict):
    # One OUT reference with p = 1 and a = 1: ln r is the target's signal itself, on a grid full of ties.
    x, z = np.array(x) * 1.0, np.array(z) * 1.0
    convention = RMIA(mode="offline", a=1.0, gamma=gamma, strict=strict)
    scores = rmia(
        x,
        np.zeros((1, x.size)),
        np.zeros((1, x.size), dtype=bool),
        population_target=z,
        population_shadows=np.zeros((1, z.size)),
        convention=convention,
    )
    table = x[:, None] - z[None]
    expected = table > np.log(gamma) if strict else table >= np.log(gamma)
    np.testing.assert_array_equal(scores, expected.mean(axis=1))


def test_the_curve_is_that_of_the_ratio_and_gamma_only_calibrates():
    rng = np.random.default_rng(1)
    member = rng.random(300) < 0.5
    target, z = rng.normal(size=300) + member - 5, rng.normal(size=200_000) * 2 - 5
    shadows, z_shadows = rng.normal(size=(1, 300)) - 5, np.full((1, 200_000), -5.0)
    auc = []
    for gamma in (1.0, 2.0):
        convention = RMIA(mode="offline", gamma=gamma, a=1.0)
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
            convention=RMIA(mode="offline", gamma=1.0, a=a),
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
        convention=RMIA(a=1.0, gamma=1.0),
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
    with pytest.raises(InputError, match="Did you mean 'rmia2024'"):
        RMIA.preset("rmia")
    assert RMIA(**{k: v for k, v in RMIA().to_dict().items() if k != "name"}) == RMIA()
