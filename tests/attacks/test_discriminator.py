"""The discriminator: worlds with a known best accuracy, leaks that only theta shows, and test models it never sees."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from quantleak.attacks.discriminator import SEARCH, Candidate, Discriminator, Observed, discriminator
from quantleak.attacks.discriminator.inputs import Alignment, Inputs, Scaling, reader
from quantleak.attacks.discriminator.network import Network, loss_start
from quantleak.attacks.discriminator.result import mean_over_models
from quantleak.errors import InputError

LOSS = Candidate(inputs="loss", width=0)
QUICK = Discriminator(search=(LOSS, Candidate(inputs="paper", width=8, learning_rate=1e-2)), epochs=5, batch=40)
COVERAGE = replace(QUICK, epochs=2)


def world(models=40, examples=40, size=4, shift=0.0, seed=0):
    """Everything exchangeable but for log losses N(-shift, 1) of members and N(0, 1) of others."""
    rng = np.random.default_rng(seed)
    member = rng.permuted(np.tile(np.arange(examples) % 2 == 0, (models, 1)), axis=1)
    return {
        "parameters": rng.normal(size=(models, size)),
        "features": rng.normal(size=(models, examples, size)),
        "targets": rng.integers(0, 2, (models, examples)),
        "losses": np.exp(rng.normal(size=member.shape) - shift * member),
        "member": member,
    }


def leaking(models=60, examples=64, size=1, seed=0):
    """Members are the half with the larger theta x; the loss is noise."""
    drawn = world(models, examples, size, seed=seed)
    product = np.einsum("mp,mnp->mn", drawn["parameters"], drawn["features"])
    return drawn | {
        "targets": np.ones((models, examples)),
        "member": product.argsort(axis=1).argsort(axis=1) >= examples // 2,
    }


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_two_gaussians_give_their_bayes_accuracy(shift):
    # TV of N(0, 1) and N(shift, 1) is 2 Phi(shift / 2) - 1.
    found = discriminator(**world(100, 200, shift=shift), settings=QUICK)
    bayes = stats.norm.cdf(shift / 2)
    assert found.accuracy.value == pytest.approx(bayes, abs=0.015)
    assert found.mis_bound.value == pytest.approx(2 * (1 - bayes), abs=0.03)
    assert found.auc.value == pytest.approx(stats.norm.cdf(shift / np.sqrt(2)), abs=0.015)
    assert found.loss_accuracy.value == pytest.approx(bayes, abs=0.015)
    assert abs(found.gain.value) < 0.01


def test_members_whose_loss_is_wide_not_low_are_found_by_a_hidden_unit_only():
    # |z| > 1.64 sigma of one side: no threshold on the loss sees it.
    drawn = world(50, 64)
    rng = np.random.default_rng(1)
    drawn["losses"] = np.exp(rng.normal(size=drawn["member"].shape) * np.where(drawn["member"], 0.1, 3.0))
    curved = Candidate(inputs="loss", width=16, learning_rate=1e-2)
    found = discriminator(**drawn, settings=Discriminator(search=(LOSS, curved)))
    assert found.chosen == curved
    # Bayes by integrating the larger of the two densities.
    grid = np.linspace(-20, 20, 400_001)
    bayes = 0.5 * np.maximum(stats.norm.pdf(grid, scale=0.1), stats.norm.pdf(grid, scale=3)).sum() * (grid[1] - grid[0])
    assert found.accuracy.value == pytest.approx(bayes, abs=0.03)
    assert found.loss_accuracy.value < 0.75 < found.accuracy.low


def test_a_leak_through_theta_is_found_where_the_loss_shows_nothing():
    theta = Candidate(inputs="paper", width=64, learning_rate=1e-2)
    found = discriminator(**leaking(), settings=Discriminator(search=(LOSS, theta)))
    assert found.chosen == theta
    assert found.accuracy.low > 0.85
    assert found.loss_accuracy.value == pytest.approx(0.5, abs=0.05)
    assert found.gain.low > 0.3
    blind = Candidate(inputs="example", width=64, learning_rate=1e-2)
    alone = discriminator(**leaking(), settings=Discriminator(search=(blind,)))
    assert alone.accuracy.value == pytest.approx(0.5, abs=0.05)


def test_alignment_finds_in_many_dimensions_what_raw_inputs_do_not():
    drawn = leaking(size=32)
    found = discriminator(**drawn, settings=Discriminator(search=SEARCH[:3]))
    aligned = discriminator(**drawn, settings=Discriminator(search=SEARCH[-1:]))
    assert aligned.accuracy.low > 0.8 > 0.65 > found.accuracy.value


def test_exchangeable_data_give_one_half_within_the_interval():
    covered = []
    for seed in range(40):
        accuracy = discriminator(**world(20, 20, seed=seed), settings=COVERAGE, seed=seed).accuracy
        covered.append(accuracy.low <= 0.5 <= accuracy.high)
    # 95% of 40 is 38; 33 or fewer has probability 0.003.
    assert sum(covered) >= 34


def test_the_interval_knows_that_examples_of_one_model_are_dependent():
    # Half of the models give all their members away, the others nothing.
    drawn, leaks = world(60, 100), np.arange(60)[:, None] % 2 == 0
    losses = drawn["losses"] * np.exp(np.where(drawn["member"], -20, 0) * leaks)
    found = discriminator(**drawn | {"losses": losses}, settings=QUICK)
    assert found.accuracy.low < 0.75 < found.accuracy.high
    binomial = 2 * 1.96 * np.sqrt(0.75 * 0.25 / found.scores.size)
    assert found.accuracy.high - found.accuracy.low > 3 * binomial


def test_nothing_of_the_test_models_reaches_g():
    drawn = world(shift=1.0)
    first = discriminator(**drawn, settings=QUICK)
    test = first.split.test
    flipped = drawn["member"].copy()
    flipped[test] = ~flipped[test]
    second = discriminator(**drawn | {"member": flipped}, settings=QUICK)
    assert (second.chosen, second.threshold, second.trials) == (first.chosen, first.threshold, first.trials)
    np.testing.assert_array_equal(second.scores, first.scores)
    np.testing.assert_allclose(second.per_model.accuracy, 1 - first.per_model.accuracy)
    other = {name: values.copy() for name, values in drawn.items()}
    for name in ("parameters", "features", "losses"):
        other[name][test] = np.abs(other[name][test]) * 100
    third = discriminator(**other, settings=QUICK)
    assert (third.chosen, third.threshold, third.trials) == (first.chosen, first.threshold, first.trials)


def test_every_model_is_in_one_part():
    parts = discriminator(**world(), settings=QUICK).split
    assert [len(part) for part in parts] == [24, 8, 8]
    assert sorted(np.concatenate(list(parts))) == list(range(40))


def test_seeds_decide_everything_and_touch_nobody_elses_numbers():
    drawn, torch_state, numpy_state = world(shift=1.0), torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again = (discriminator(**drawn, settings=QUICK, seed=3) for _ in range(2))
    assert (first.trials, first.threshold, first.to_dict()) == (again.trials, again.threshold, again.to_dict())
    np.testing.assert_array_equal(first.scores, again.scores)
    other = discriminator(**drawn, settings=QUICK, seed=4)
    assert other.split.test.tolist() != first.split.test.tolist()
    assert other.trials != first.trials
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def test_the_linear_function_of_the_log_loss_is_the_loss_attack_whatever_the_unit():
    drawn = world(shift=1.0)
    settings = replace(QUICK, search=(LOSS,))
    found = discriminator(**drawn, settings=settings)
    np.testing.assert_array_equal(found.per_model.accuracy, found.per_model.loss_accuracy)
    for factor in (1e-200, 1e200):
        scaled = discriminator(**drawn | {"losses": drawn["losses"] * factor}, settings=settings)
        np.testing.assert_allclose(scaled.scores, found.scores, atol=1e-3)


def test_losses_of_zero_and_inputs_that_never_vary_are_no_obstacle():
    drawn = world(shift=3.0)
    drawn["losses"][drawn["losses"] < 0.1] = 0.0
    drawn["features"][..., 0] = 5.0
    drawn["parameters"][:] = 1.0
    found = discriminator(**drawn, settings=Discriminator(epochs=2))
    assert found.accuracy.low > 0.85
    assert np.isfinite(found.scores).all()
    nothing = discriminator(**drawn | {"losses": np.zeros_like(drawn["losses"])}, settings=QUICK)
    assert nothing.loss_accuracy.value == 0.5


def test_the_search_keeps_what_validates_best_and_says_what_does_not_fit():
    drawn = world(shift=1.0)
    found = discriminator(**drawn | {"parameters": drawn["parameters"][:, :3]}, settings=Discriminator(epochs=2))
    assert [trial.candidate for trial in found.trials] == list(SEARCH)
    tried = [trial for trial in found.trials if trial.accuracy is not None]
    assert found.chosen == max(tried, key=lambda trial: trial.accuracy).candidate
    assert all(len(trial.history) == 3 for trial in tried)
    assert {trial.reason for trial in found.trials[-2:]} == {
        "alignment needs one parameter per feature, got 3 parameters and 4 features"
    }
    fields = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert fields["models"] == {"train": 24, "validation": 8, "test": 8}
    assert fields["trials"][-1]["accuracy"] is None
    only = Discriminator(search=SEARCH[-2:])
    drawn["targets"][found.split.test[0], 0] = 2
    with pytest.raises(InputError, match=r"No configuration .* targets 0 and 1\. Add Candidate\(inputs='paper'\)"):
        discriminator(**drawn, settings=only)


def test_theta_once_a_model_equals_a_network_on_the_concatenated_inputs():
    rng = np.random.default_rng(0)
    network = Network((2.0, -1.0), 3, 4, 8)
    with torch.no_grad():
        for values in network.parameters():
            values.copy_(torch.from_numpy(rng.normal(size=values.shape)))
    examples, theta = rng.normal(size=(40, 5, 3)), rng.normal(size=(40, 4))
    inputs = Inputs(
        examples=torch.tensor(examples, dtype=torch.float32), parameters=torch.tensor(theta, dtype=torch.float32)
    )
    weights = {name: values.numpy() for name, values in network.state_dict().items()}
    first = np.concatenate([weights["example.weight"], weights["theta.weight"]], axis=1)
    for m, n in np.ndindex(40, 5):
        hidden = np.maximum(first @ np.concatenate([examples[m, n], theta[m]]) + weights["example.bias"], 0)
        expected = weights["out.weight"] @ hidden + weights["linear.weight"] @ examples[m, n] + weights["linear.bias"]
        assert network.logits(inputs)[m, n].item() == pytest.approx(expected.item(), abs=1e-4)


def test_g_starts_at_the_log_likelihood_ratio_of_two_normals():
    rng = np.random.default_rng(0)
    member = np.tile([True, False], (50, 500))
    values = rng.normal(np.where(member, -1.0, 2.0), 1.5)
    slope, intercept = loss_start(torch.from_numpy(values)[..., None], torch.from_numpy(member * 1.0))
    for point in (-3.0, 0.0, 4.0):
        ratio = stats.norm.logpdf(point, -1, 1.5) - stats.norm.logpdf(point, 2, 1.5)
        assert slope * point + intercept == pytest.approx(ratio, abs=0.15)


def test_alignment_by_its_definition():
    rng = np.random.default_rng(0)
    seen = Observed(
        parameters=rng.normal(size=(6, 3)).astype(np.float32),
        features=rng.normal(2.0, 3.0, size=(6, 5, 3)).astype(np.float32),
        targets=rng.integers(0, 2, (6, 5)).astype(np.float32),
        losses=np.ones((6, 5)),
    )
    every = seen.features.reshape(-1, 3).astype(float)
    mean, deviation, model = every.mean(0), np.sqrt(np.cov(every.T, ddof=0).diagonal()), seen.parameters.mean(0)
    found = Alignment.fit(seen)(seen)
    for m, n in np.ndindex(6, 5):
        x, theta, sign = seen.features[m, n], seen.parameters[m], 1 if seen.targets[m, n] else -1
        metrics = (x, x - mean, (x - mean) / deviation)
        margins = [sign * (weights @ metric) for metric in metrics for weights in (theta, model)]
        lengths = [np.linalg.norm(vector) for vector in (x, metrics[2], theta)]
        np.testing.assert_allclose(found[m, n], margins + lengths, rtol=1e-4, atol=1e-4)


def test_statistics_come_from_the_training_models():
    drawn = world(shift=1.0)
    seen = Observed(
        **{name: drawn[name].astype(np.float32) for name in ("parameters", "features", "targets", "losses")}
    )
    read = reader("paper", seen.of(np.arange(20)))
    inputs = read(seen)
    trained = inputs.examples[:20].flatten(0, 1)
    np.testing.assert_allclose(trained.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(trained.std(0, correction=0), 1, atol=1e-4)
    assert inputs.parameters.shape == (40, 4)
    assert abs(float(inputs.examples[20:].mean(dim=(0, 1)).abs().max())) > 1e-3


def test_a_weight_that_is_nearly_always_zero_is_not_blown_up():
    theta = np.zeros((100, 5))
    theta[:, 0], theta[7, 4] = np.random.default_rng(0).normal(size=100), 1.0
    assert np.abs(Scaling.fit(theta, shared=True)(theta)).max() < 6
    assert np.abs(Scaling.fit(theta[:7])(theta)).max() <= 10


def test_the_mean_over_models_has_students_interval():
    values = np.random.default_rng(0).normal(size=7)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = mean_over_models(values, 0.9)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert mean_over_models(np.full(4, 0.5), 0.95).to_dict() == {"value": 0.5, "low": 0.5, "high": 0.5}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parameters": np.zeros(40)}, r"parameters must be \[models, parameters\] and not empty, got shape \(40,\)"),
        ({"parameters": np.zeros((40, 0))}, "not empty"),
        ({"features": np.zeros((39, 40, 4))}, r"for the 40 models of parameters, got shape \(39, 40, 4\)"),
        ({"features": np.zeros((40, 40))}, r"features must be \[models, examples, features\]"),
        ({"targets": np.zeros((40, 39))}, r"targets has shape \(40, 39\), expected \(40, 40\)"),
        ({"losses": np.zeros(40)}, r"losses has shape \(40,\), expected \(40, 40\)"),
        ({"losses": np.full((40, 40), -0.5)}, "losses must be 0 or larger, got -0.5; pass the loss"),
        (
            {"losses": np.where(np.eye(40) == 1, np.nan, 1.0)},
            r"losses has 40 values that are NaN or infinite as float64, the first at index .0, 0.",
        ),
        ({"features": np.full((40, 40, 4), 1e300)}, "features has 6400 values that are NaN or infinite as float32"),
        ({"member": np.zeros((40, 39))}, r"member has shape \(40, 39\), expected \(40, 40\)"),
        ({"member": np.arange(1600).reshape(40, 40) % 4 == 0}, "40 models differ, the first is model 0 with 10 and 30"),
        ({"member": np.full((40, 40), 2)}, "member must hold True and False"),
    ],
)
def test_bad_arrays_are_refused(changed, message):
    with pytest.raises(InputError, match=message):
        discriminator(**world() | changed)


def test_bad_settings_and_too_few_models_are_refused():
    with pytest.raises(InputError, match="of 4, 1 validate and 2 test, which leaves 1"):
        discriminator(**world(models=4))
    with pytest.raises(InputError, match="got -1. Try seed=0"):
        discriminator(**world(), seed=-1)
    with pytest.raises(InputError, match="width >= 0"):
        Candidate(width=-1)
    with pytest.raises(InputError, match="at least one Candidate"):
        Discriminator(search=())
    with pytest.raises(InputError, match="leave models to train on"):
        Discriminator(validation=0.5, test=0.5)
    with pytest.raises(InputError, match="patience"):
        Discriminator(patience=0)
