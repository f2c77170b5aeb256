"""Curves, classes and exposed examples of one quantizer, against plain counting on signals whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from quantleak.attacks import evaluate, roc, worst_case
from quantleak.auditing import tables
from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.details import GRID, details, flagged, mean_curve, worst_classes
from quantleak.auditing.measures.classes import by_class, is_rare
from quantleak.data import membership
from quantleak.results import Estimate, Worst

LEVEL = 0.95


def table(seed: int, targets: int = 8, examples: int = 240, shift: float = 1.0, digits: int = 1):
    """Scores of exact-half memberships, rounded so that many tie."""
    random = np.random.default_rng(seed)
    member = membership(targets, np.arange(examples), seed)
    scores = random.normal(size=(targets, examples)) + shift * member
    return np.round(scores, digits), member


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), alpha=st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]))
def test_flags_are_those_of_the_largest_threshold_that_keeps_to_the_rate(seed: int, alpha: float) -> None:
    scores, member = table(seed, targets=2, examples=60)
    flags = flagged(scores, member, alpha)
    for row, inside, called in zip(scores, member, flags, strict=True):
        allowed = [t for t in [np.inf, *row] if (row[~inside] >= t).mean() <= alpha]
        np.testing.assert_array_equal(called, row >= min(allowed))


def test_a_curve_is_the_mean_of_the_estimates_at_every_supported_rate() -> None:
    scores, member = table(0)
    curve = mean_curve(scores, member, np.arange(240), LEVEL)
    # 8 targets with 120 non-members each support 20 / 8 / 121 and more.
    fewest = min((~member).sum(axis=1))
    assert curve["fpr"][0] == min(rate for rate in GRID if rate * (fewest + 1) >= 2.5)
    assert {0.1, 1.0} <= set(curve["fpr"])
    for rate, tpr in zip(curve["fpr"], curve["tpr"], strict=True):
        each = [roc(*row).tpr_at_exactly(rate) for row in zip(scores, member, strict=True)]
        assert tpr == pytest.approx(np.mean(each))
        steps = [metrics.roc_curve(m, s)[:2] for m, s in zip(member, scores, strict=True)]
        assert tpr == pytest.approx(np.mean([np.interp(rate, *step) for step in steps]), abs=0.03)
    assert (curve["low"] <= curve["tpr"] + 0.05).all()
    assert (curve["tpr"] - 0.05 <= curve["high"]).all()


def test_too_few_examples_have_no_curve() -> None:
    scores, member = table(0, examples=2)
    assert all(len(column) == 0 for column in mean_curve(scores, member, np.arange(2), LEVEL).values())


def test_a_class_is_counted_by_itself() -> None:
    scores, member = table(1)
    classes = np.repeat([0, 2], 120)
    flags = flagged(scores, member, 0.1)
    found = by_class(flags, member, classes, np.arange(240), LEVEL)
    assert found["examples"].tolist() == [120, 0, 120]
    for place, code in enumerate((0, 1, 2)):
        of_class = classes == code
        for name, side in (("found", member), ("alarms", ~member)):
            called = [f for f, s in zip(flags[:, of_class].ravel(), side[:, of_class].ravel(), strict=True) if s]
            if called:
                assert found[name][place] == pytest.approx(np.mean(called))
                assert found[f"{name}_low"][place] < found[name][place] < found[f"{name}_high"][place]
            else:
                assert np.isnan(found[name][place])
                assert np.isnan(found[f"{name}_low"][place])


def test_intervals_of_a_class_are_as_wide_as_examples_and_targets_vary() -> None:
    # Every target flags the same examples: only examples vary, and a group is drawn whole.
    flags = np.repeat(np.random.default_rng(0).random((1, 400)) < 0.3, 6, axis=0)
    wide = by_class(flags, np.ones_like(flags), np.zeros(400, np.int64), np.arange(400), LEVEL)
    p = flags[0].mean()
    expected = 2 * 1.96 * np.sqrt(p * (1 - p) / 400)
    assert wide["found_high"][0] - wide["found_low"][0] == pytest.approx(expected, rel=0.1)
    grouped = by_class(
        np.repeat(flags, 5, axis=1), np.ones((6, 2000), bool), np.zeros(2000, np.int64), np.arange(2000) // 5, LEVEL
    )
    assert grouped["found_high"][0] - grouped["found_low"][0] == pytest.approx(expected, rel=0.1)


def test_rare_is_less_than_half_of_an_equal_share() -> None:
    assert is_rare(np.array([100, 100, 49])).tolist() == [False, False, False]
    assert is_rare(np.array([100, 100, 39])).tolist() == [False, False, True]


def output_of(tables: dict[str, np.ndarray]) -> AttackOutput:
    """What an attack job leaves, of which these tests read the tables alone."""
    none = Estimate(value=None)
    worst = Worst(value=None, name="loss", mode="none", fpr=None, auc=none)
    return AttackOutput(
        attacks=[], worst=worst, selection=none, selection_auc=0.5, per_example=[], values=np.zeros(0),
        influence=np.zeros((0, 0)), columns={}, reporting=np.zeros(0, int), tables=tables, worst_classes={},
    )  # fmt: skip


def test_details_agree_with_the_headline_and_become_tables() -> None:
    scores, member = table(5)
    candidates = {("loss", "none"): scores, ("lira-online", "adaptive"): scores + member}
    groups, classes = np.arange(240), np.arange(240) % 2
    worst = worst_case(candidates, member, groups=groups)
    kept = details(candidates, worst, member, groups, classes, LEVEL)
    attacked = {"sign": output_of(kept), "uniform:2": output_of(kept)}

    roc = tables.roc(attacked)
    assert list(roc.columns) == ["quantizer", "attack", "mode", "fpr", "tpr", "low", "high"]
    here = roc[(roc["quantizer"] == "sign") & (roc["attack"] == "lira-online") & (roc["fpr"] == worst.fpr)]
    assert here["tpr"].tolist() == [worst.estimate.value]
    assert (here["low"].item(), here["high"].item()) == (worst.estimate.low, worst.estimate.high)

    by_name = tables.classes(attacked, ("no", "yes"))
    assert by_name["class"].tolist() == ["no", "yes"] * 2
    assert not by_name["rare"].any()
    # Classes of equal size: their mean is the mean over all examples, at the threshold that the sample suggests.
    assert by_name["found"][:2].mean() == pytest.approx(worst.estimate.value, abs=0.04)
    overall = evaluate(candidates[worst.name][worst.reported_on], member[worst.reported_on])
    assert overall.tpr[0.1].value == worst.estimate.value

    assert set(by_name["fpr"]) == set(worst.supported)

    planted = {"exposed/position": np.array([3, 9])}
    planted |= {f"exposed/{column}": np.array([0.5, 0.6]) for column in tables.EXPOSED[1:]}
    rows = tables.exposed({"sign": output_of(planted)}, 1000 + np.arange(240))
    assert list(rows.columns[:3]) == ["quantizer", "row", "found"]
    assert rows["row"].tolist() == [1003, 1009]


def test_the_worst_class_is_chosen_on_the_half_that_chose() -> None:
    scores, member = table(7, shift=0.0)
    classes = np.arange(240) % 3
    # Class 2 leaks on the targets that choose, class 1 on those that report.
    chosen, reported = (np.isin(np.arange(8), half)[:, None] for half in ([0, 2, 4, 6], [1, 3, 5, 7]))
    leak = (chosen & (classes == 2)) | (reported & (classes == 1))
    strong = scores + 5 * (member & leak)
    candidates = {("loss", "none"): scores, ("lira-online", "adaptive"): strong}
    choice = worst_case(candidates, member, groups=np.arange(240))
    assert choice.name == ("lira-online", "adaptive")
    found = worst_classes(strong, choice, member, np.arange(240), classes, LEVEL)
    assert found == {0.1: 2}


def test_regression_has_no_classes_and_few_examples_have_no_rates() -> None:
    scores, member = table(6)
    worst = worst_case({("loss", "none"): scores}, member)
    kept = details({("loss", "none"): scores}, worst, member, np.arange(240), None, LEVEL)
    assert not [key for key in kept if key.startswith("classes")]
    assert tables.classes({"sign": output_of(kept)}, None).empty
    scores, member = table(6, examples=40)
    worst = worst_case({("loss", "none"): scores}, member)
    assert worst.fpr is None
    kept = details({("loss", "none"): scores}, worst, member, np.arange(40), np.arange(40) % 2, LEVEL)
    assert tables.exposed({"sign": output_of(kept)}, np.arange(40)).empty
    assert tables.classes({"sign": output_of(kept)}, ("no", "yes")).empty
