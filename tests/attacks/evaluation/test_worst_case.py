from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import evaluate, roc, worst_case
from quantleak.errors import InputError


def attacks(targets, examples, seed=0):
    rng = np.random.default_rng(seed)
    member = rng.random((targets, examples)) < 0.5
    noise = rng.normal(size=(2, targets, examples))
    return {"weak": member + 4 * noise[0], "strong": member + noise[1]}, member


def test_chosen_on_even_targets_reported_on_odd_ones():
    candidates, member = attacks(7, 1100)
    worst = worst_case(candidates, member)
    assert (worst.name, worst.fpr, worst.halved) == ("strong", 0.01, "targets")
    np.testing.assert_array_equal(worst.reported_on, [1, 3, 5])
    half = evaluate(candidates["strong"][1::2], member[1::2])
    assert worst.estimate == half.tpr[0.01]
    assert worst.metrics.auc == half.auc


def test_the_choice_does_not_see_the_reporting_half():
    candidates, member = attacks(6, 1100)
    spoilt = {name: scores.copy() for name, scores in candidates.items()}
    spoilt["weak"][1::2] = member[1::2]
    spoilt["strong"][1::2] = 0.0
    worst = worst_case(spoilt, member)
    assert (worst.name, worst.estimate.value) == ("strong", pytest.approx(0.01))


def test_among_useless_attacks_the_worst_shows_nothing():
    rng, values = np.random.default_rng(1), []
    for _ in range(10):
        member = rng.random((4, 500)) < 0.5
        candidates = {str(k): rng.normal(size=member.shape) for k in range(8)}
        values.append(worst_case(candidates, member, fprs=(0.1,)).estimate.value)
    assert np.mean(values) == pytest.approx(0.1, abs=0.012)


def test_equal_rates_are_decided_by_the_auc_then_by_order():
    rng = np.random.default_rng(2)
    member = rng.random((4, 200)) < 0.5
    coarse = member * (rng.random(member.shape) < 0.3) * 1.0
    better = coarse + np.where(coarse > 0, 0, 1e-3 * (member + rng.normal(size=member.shape)))
    order = worst_case({"a": coarse, "b": coarse}, member)
    assert order.name == "a"
    tpr = [
        np.mean([roc(*pair).tpr_at_exactly(0.1) for pair in zip(scores[::2], member[::2], strict=True)])
        for scores in (coarse, better)
    ]
    assert tpr[0] < tpr[1]
    assert worst_case({"a": coarse, "b": better}, member).name == "b"


def test_where_no_rate_is_supported_the_auc_speaks():
    candidates, member = attacks(6, 40)
    worst = worst_case(candidates, member)
    assert (worst.name, worst.fpr) == ("strong", None)
    assert worst.estimate == worst.metrics.auc


@pytest.mark.parametrize("grouped", [False, True])
def test_a_single_target_is_cut_by_examples(grouped):
    candidates, member = attacks(1, 4000)
    groups = np.arange(4000) // 4 if grouped else None
    if grouped:
        member = np.repeat(member[:, ::4], 4, axis=1)
        noise = np.random.default_rng(0).normal(size=member.shape)
        candidates = {"strong": member + noise, "weak": noise}
    worst = worst_case(candidates, member, groups=groups)
    # Some 1000 non-members in each half support 0.01, their 250 groups do not.
    assert (worst.name, worst.halved, worst.fpr) == ("strong", "examples", 0.1 if grouped else 0.01)
    assert np.intersect1d(worst.chosen_on, worst.reported_on).size == 0
    assert worst.chosen_on.size + worst.reported_on.size == 4000
    if grouped:
        assert np.intersect1d(groups[worst.chosen_on], groups[worst.reported_on]).size == 0


def test_of_one_candidate_everything_reports():
    for targets in (4, 1):
        candidates, member = attacks(targets, 400)
        only = {"strong": candidates["strong"]}
        worst = worst_case(only, member)
        everything = np.arange(targets if targets > 1 else 400)
        np.testing.assert_array_equal(worst.reported_on, everything)
        assert worst.metrics.auc == evaluate(only["strong"], member).auc


def test_bad_input_is_refused():
    candidates, member = attacks(4, 40)
    with pytest.raises(InputError, match="at least one attack"):
        worst_case({}, member)
    with pytest.raises(InputError, match="member has shape"):
        worst_case({"short": candidates["weak"][:, :-1]}, member)


@pytest.mark.parametrize("targets", [6, 1])
def test_the_rate_is_one_that_both_halves_support_in_groups(targets):
    candidates, member = attacks(targets, 4000)
    groups = np.arange(4000) // 20
    member = np.repeat(member[:, ::20], 20, axis=1)
    worst = worst_case(candidates, member, fprs=(0.01, 0.1, 0.2), groups=groups)
    # Of 200 groups every target has about 100 as non-members, and half of one target about 50: 49 support 0.1.
    assert worst.fpr == 0.1
    assert worst_case(candidates, member, fprs=(0.02,), groups=groups).fpr is None
    assert worst_case(candidates, member, fprs=(0.01,)).fpr == 0.01
    with pytest.raises(InputError, match="groups has shape"):
        worst_case(candidates, member, groups=groups[1:])
