"""LiRA against its definition, closed forms for known Gaussians (L3-L5) and its symmetries (L6, L7, L10, L11)."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from quantleak.attacks import LiRA, NotEnoughShadows, lira, roc
from quantleak.errors import InputError

EVERY = [
    LiRA(mode=mode, variance=variance, tail=tail, centre=centre, prior_count=prior)
    for mode, variance, tail, centre, prior in product(
        ("online", "offline"), ("shrunk", "example", "global"), ("one", "two"), ("median", "mean"), (None, 5.0)
    )
    if (mode == "offline" or tail == "one") and (variance == "shrunk" or prior is None)
]


def by_definition(target, shadows, member, convention, use):
    """Oracle: one example at a time with the statistics module's plain formulas; `example` and `global` variance."""
    models, examples = shadows.shape
    middle = np.median if convention.centre == "median" else np.mean
    picked = [
        [[shadows[k, i] for k in range(models) if use[k, i] and member[k, i] == inside] for i in range(examples)]
        for inside in (True, False)
    ]
    read = picked if convention.mode == "online" else picked[1:]
    squares = sum(len(values) * np.var(values) for group in read for values in group)
    common = np.sqrt(squares / sum(len(values) - 1 for group in read for values in group))
    scores = []
    for i in range(examples):
        spread = [common if convention.variance == "global" else np.std(group[i]) for group in picked]
        inside, outside = (
            stats.norm(middle(group[i]), max(s, convention.floor)) for group, s in zip(picked, spread, strict=True)
        )
        if convention.mode == "online":
            scores.append(inside.logpdf(target[i]) - outside.logpdf(target[i]))
        elif convention.tail == "two":
            scores.append(-outside.logpdf(target[i]))
        else:
            scores.append((target[i] - outside.mean()) / outside.std())
    return np.array(scores)


@pytest.mark.parametrize("convention", [c for c in EVERY if c.variance != "shrunk"], ids=str)
def test_every_convention_equals_its_definition_for_uneven_counts(convention):
    rng = np.random.default_rng(3)
    shadows, target = rng.normal(size=(12, 30)), rng.normal(size=30)
    member, use = rng.random((12, 30)) < 0.5, rng.random((12, 30)) < 0.9
    member[:6], use[:2], use[6:8] = np.array([True, False, True, False, True, False])[:, None], True, True
    member[6], member[7] = True, False
    scores = lira(target, shadows, member, convention=convention, use=use)
    np.testing.assert_allclose(scores, by_definition(target, shadows, member, convention, use), rtol=1e-9)


def test_a_fixed_prior_count_interpolates_between_own_and_pooled_variance():
    rng = np.random.default_rng(0)
    shadows, member = rng.normal(size=(8, 3)), np.arange(8)[:, None] < [4, 4, 4]
    out = shadows[4:]
    pooled = np.var(out, axis=0, ddof=1).mean()
    variance = (5 * pooled + 4 * np.var(out, axis=0)) / (5 + 3)
    scores = lira(np.ones(3), shadows, member, convention=LiRA(mode="offline", prior_count=5.0))
    np.testing.assert_allclose(scores, (1 - np.median(out, axis=0)) / np.sqrt(variance))


def draw_pairs(rng, shifts, examples, queries):
    member = rng.random(examples) < 0.5
    signals = shifts[:, None] * member[:, None] + rng.normal(size=(examples, queries))
    return signals, member


@pytest.mark.parametrize("queries", [1, 2])
def test_known_gaussians_reach_the_closed_form_curve(queries):
    # Shadows at +-1 around their means have those means and unit variance exactly (L3).
    rng, d, n = np.random.default_rng(1), 1.0, 40_000
    target, member = draw_pairs(rng, np.full(n, d), n, queries)
    shadows = np.broadcast_to(np.array([d - 1, d + 1, -1, 1])[:, None, None], (4, n, queries))
    inside = np.broadcast_to(np.array([True, True, False, False])[:, None], (4, n))
    convention = LiRA(variance="example")
    curve = roc(lira(target, shadows, inside, convention=convention), member)
    effective = d * np.sqrt(queries)
    assert curve.auc == pytest.approx(stats.norm.cdf(effective / np.sqrt(2)), abs=0.008)
    expected = stats.norm.cdf(effective + stats.norm.ppf(0.01))
    assert curve.tpr_at(0.01) == pytest.approx(expected, abs=0.015)


def test_heterogeneous_shifts_reach_the_closed_form_auc():
    rng, n = np.random.default_rng(2), 20_000
    shifts = rng.uniform(0, 3, n)
    target, member = draw_pairs(rng, shifts, n, 1)
    shadows = np.stack([shifts - 1, shifts + 1, np.full(n, -1.0), np.full(n, 1.0)])
    inside = np.broadcast_to(np.array([True, True, False, False])[:, None], (4, n))
    auc = roc(lira(target[:, 0], shadows, inside, convention=LiRA(variance="example")), member).auc
    pairs = np.hypot(shifts[:2000, None], shifts[None, 2000:4000])
    assert auc == pytest.approx(stats.norm.cdf(pairs / 2).mean(), abs=0.01)


@pytest.mark.parametrize("convention", EVERY, ids=str)
def test_nothing_beats_the_true_likelihood_ratio(convention, fleet):
    world = fleet(65, 8000, shift=1.0, spread=0.0, seed=4)
    target, member = world.signals[0], world.member[0]
    best = roc(target, member)
    ours = roc(lira(target, world.signals[1:], world.member[1:], convention=convention), member)
    for alpha in (0.01, 0.1, 0.3):
        assert ours.tpr_at(alpha) <= best.tpr_at(alpha) + 0.03
    assert ours.auc <= best.auc + 0.005
    assert convention.tail == "two" or ours.auc > best.auc - 0.03


@pytest.mark.parametrize("mode", ["online", "offline"])
@pytest.mark.parametrize("tail", ["one", "two"])
def test_global_ranking_does_not_depend_on_the_size_of_sigma(mode, tail):
    # A floor above the pooled deviation sets sigma by hand (L6), over two queries.
    rng = np.random.default_rng(5)
    shadows, target = rng.normal(size=(16, 200, 2)), rng.normal(size=(200, 2))
    member = np.arange(16)[:, None] < np.full(200, 8)
    order = [
        np.argsort(lira(target, shadows, member, convention=LiRA(mode=mode, tail=tail, variance="global", floor=floor)))
        for floor in (1e-9, 5.0, 70.0)
    ]
    np.testing.assert_array_equal(order[0], order[1])
    np.testing.assert_array_equal(order[0], order[2])


@pytest.mark.parametrize("convention", EVERY, ids=str)
def test_symmetries(convention):
    rng = np.random.default_rng(6)
    shadows, target = rng.normal(size=(14, 40, 3)), rng.normal(size=(2, 40, 3))
    member = rng.random((14, 40)).argsort(axis=0) < 7
    scores = lira(target, shadows, member, convention=convention)

    # L7: one affine map of everything.
    mapped = lira(2.5 * target - 7, 2.5 * shadows - 7, member, convention=convention)
    constant = np.log(2.5) if convention.mode == "offline" and convention.tail == "two" else 0.0
    np.testing.assert_allclose(mapped - constant, scores, rtol=1e-7, atol=1e-9)

    # L10: models, examples and queries in another order; one target at a time.
    models, examples, queries = rng.permutation(14), rng.permutation(40), rng.permutation(3)
    shuffled = lira(
        target[:, examples][:, :, queries],
        shadows[models][:, examples][:, :, queries],
        member[models][:, examples],
        convention=convention,
    )
    np.testing.assert_allclose(shuffled, scores[:, examples], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(lira(target[1], shadows, member, convention=convention), scores[1], rtol=1e-12)

    # L10: IN and OUT exchanged.
    if convention.mode == "online":
        np.testing.assert_array_equal(lira(target, shadows, ~member, convention=convention), -scores)
        labels = rng.random(40) < 0.5
        assert roc(-scores[0], labels).auc == pytest.approx(1 - roc(scores[0], labels).auc)
        assert roc(-scores[0], ~labels).auc == pytest.approx(roc(scores[0], labels).auc)


@pytest.mark.parametrize("convention", [c for c in EVERY if c.mode == "offline"], ids=str)
def test_offline_never_reads_in_shadows_and_nobody_reads_unused_ones(convention):
    rng = np.random.default_rng(7)
    shadows, target = rng.normal(size=(10, 20)), rng.normal(size=20)
    member = rng.random((10, 20)).argsort(axis=0) < 5
    scores = lira(target, shadows, member, convention=convention)
    np.testing.assert_array_equal(lira(target, np.where(member, 1e6, shadows), member, convention=convention), scores)
    use = np.arange(10)[:, None] < np.full(20, 9)
    spoilt = shadows.copy()
    spoilt[9] = -1e6
    online = LiRA(variance=convention.variance, centre=convention.centre, prior_count=convention.prior_count)
    for one in (convention, online):
        read = lira(target, shadows, member, convention=one, use=use)
        np.testing.assert_array_equal(lira(target, spoilt, member, convention=one, use=use), read)
        np.testing.assert_allclose(lira(target, shadows[:9], member[:9], convention=one), read, rtol=1e-9)


def test_repeated_signals_do_not_explode_by_default():
    # Quantized scores repeat: every shadow of example 0 says the same, and the target differs by one step.
    rng = np.random.default_rng(8)
    shadows = np.round(rng.normal(size=(8, 50)), 1)
    shadows[:, 0] = 0.5
    member = np.arange(8)[:, None] < np.full(50, 4)
    target = np.full(50, 0.6)
    assert np.abs(lira(target, shadows, member)).max() < 50
    assert np.abs(lira(target, shadows, member, convention=LiRA.preset("carlini2022-offline")))[0] > 1e20


@pytest.mark.parametrize("name", LiRA.presets())
def test_presets_run_serialise_and_compare(name, fleet):
    world = fleet(9, 50)
    convention = LiRA.preset(name)
    assert convention == LiRA.preset(name)
    fields = convention.to_dict()
    assert fields.pop("name") == "lira"
    assert LiRA(**fields) == convention
    assert np.isfinite(lira(world.signals[0], world.signals[1:], world.member[1:], convention=convention)).all()


def test_too_few_shadows_says_which_how_many_and_what_to_do():
    shadows, member = np.arange(12.0).reshape(4, 3), np.array([[1, 1, 1], [0, 1, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    with pytest.raises(NotEnoughShadows, match=r"2 IN shadows and 2 OUT.*3 of 3 .*first example 0 with 1 IN and 3 OUT"):
        lira(np.zeros(3), shadows, member, convention=LiRA(variance="example"))
    with pytest.raises(
        NotEnoughShadows, match=r"2 OUT shadows.*1 of 3 examples have fewer, first example 1 .*at least 6"
    ):
        lira(np.zeros(3), shadows, member, convention=LiRA(mode="offline", variance="example"))
    with pytest.raises(NotEnoughShadows, match="one example with two shadows in each group"):
        lira(np.zeros(1), np.zeros((2, 1)), np.array([[True], [False]]))
    assert np.isfinite(lira(np.zeros(3), shadows, member)).all()


def test_bad_arrays_are_refused():
    shadows, member = np.zeros((4, 3)), np.zeros((4, 3), dtype=bool)
    with pytest.raises(InputError, match=r"target has shape \(2,\)"):
        lira(np.zeros(2), shadows, member)
    with pytest.raises(InputError, match=r"member has shape \(3, 4\), expected \(4, 3\)"):
        lira(np.zeros(3), shadows, member.T)
    with pytest.raises(InputError, match=r"target has 1 NaN or infinite values, the first at index \(1,\)"):
        lira(np.array([0, np.nan, 0]), shadows, member)
    with pytest.raises(InputError, match=r"target has 2 values beyond 1e\+150, .* \(0,\): np.nan_to_num"):
        lira(np.nan_to_num([np.inf, 0, -np.inf]), shadows, member)
    with pytest.raises(InputError, match="must hold True and False"):
        lira(np.zeros(3), shadows, np.full((4, 3), 2))
    with pytest.raises(InputError, match="models, examples"):
        lira(np.zeros(3), np.zeros(3), member)
    with pytest.raises(InputError, match="not empty"):
        lira(np.zeros(0), np.zeros((4, 0)), member[:, :0])


def test_bad_conventions_are_refused():
    with pytest.raises(InputError, match="Did you mean 'carlini2022'"):
        LiRA.preset("carlini2020")
    # Called directly, because the type checker of the tests would stop the constructor first.
    with pytest.raises(InputError, match="one of median, mean, got 'mode'"):
        LiRA.__post_init__(SimpleNamespace(**{**asdict(LiRA()), "centre": "mode"}))
    with pytest.raises(InputError, match="floor > 0"):
        LiRA(floor=0.0)


@pytest.mark.parametrize(
    "name", ["carlini2022", "quant-mia", "carlini2022-fixed", "quant-mia-offline", "carlini2022-offline"]
)
@pytest.mark.parametrize("queries", [1, 2])
def test_presets_are_the_rules_of_the_works_they_are_named_after(name, queries):
    # Written down from what the published programs compute (section 6.4 of the design), for an exact half design.
    rng = np.random.default_rng(11)
    member = rng.random((16, 60)).argsort(axis=0) < 8
    spread = np.exp(rng.normal(size=(60, 1)))
    shadows = rng.normal(size=(60, 1)) * 3 + member[..., None] + spread * rng.normal(size=(16, 60, queries))
    target = rng.normal(size=(60, queries)) * 3
    inside = np.array([shadows[member[:, i], i] for i in range(60)])  # [examples, 8, queries]
    outside = np.array([shadows[~member[:, i], i] for i in range(60)])
    middle_in, middle_out = np.median(inside, axis=1), np.median(outside, axis=1)
    if name == "carlini2022-fixed":
        scale_in = scale_out = np.std(inside)
    else:
        scale_in, scale_out = np.std(inside, axis=1), np.std(outside, axis=1)
    log_in = stats.norm.logpdf(target, middle_in, scale_in + 1e-30)
    log_out = stats.norm.logpdf(target, middle_out, scale_out + 1e-30)
    rule = {
        "quant-mia-offline": -log_out,
        "carlini2022-offline": (target - middle_out) / scale_out,
    }.get(name, log_in - log_out)
    ours = lira(target, shadows, member, convention=LiRA.preset(name))
    if name == "carlini2022-fixed":
        np.testing.assert_array_equal(np.argsort(ours), np.argsort(rule.mean(axis=1)))
    else:
        np.testing.assert_allclose(ours, rule.mean(axis=1), rtol=1e-9)
    if name == "carlini2022-offline" and queries == 1:
        # The paper's own score is the probability 1 - Pr[N > s]; where it does not saturate the ranking is the same.
        probability = stats.norm.cdf(target, middle_out, scale_out)[:, 0]
        clear = (probability > 1e-12) & (probability < 1 - 1e-12)
        np.testing.assert_array_equal(np.argsort(ours[clear]), np.argsort(probability[clear]))
