"""Thresholds by trying every one, and folds that never judge themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.attacks.evaluation.threshold import best_threshold, crossfit_thresholds, halves


def drawn(seed: int, targets: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = rng.permuted(np.tile(np.arange(examples) % 2 == 0, (targets, 1)), axis=1)
    return rng.integers(0, 6, (targets, examples)) + 2.0 * member, member


def gain(scores: np.ndarray, member: np.ndarray, within: np.ndarray, threshold: float) -> float:
    """Sum over targets of TPR - FPR, from the definition."""
    total = 0.0
    for s, m, inside in zip(scores, member, within, strict=True):
        for side, sign in ((m & inside, 1), (~m & inside, -1)):
            total += sign * float(np.mean(s[side] >= threshold)) if side.any() else 0
    return total


@given(seed=st.integers(0, 10**6), targets=st.integers(1, 3))
def test_no_threshold_does_better(seed, targets):
    scores, member = drawn(seed, targets, 8)
    within = np.random.default_rng(seed).random(scores.shape) < 0.8
    if not within.any():
        return
    best = gain(scores, member, within, best_threshold(scores, member, within))
    tried = [gain(scores, member, within, t) for t in [*np.unique(scores), np.inf]]
    assert best == pytest.approx(max(tried))


def test_scores_that_say_nothing_call_nobody_a_member():
    member = np.array([[True, False, True, False]])
    assert best_threshold(np.zeros((1, 4)), member, np.ones((1, 4), dtype=bool)) == np.inf


def test_each_targets_threshold_is_chosen_on_targets_of_the_other_fold():
    scores, member = drawn(0, 4, 40)
    found = crossfit_thresholds(scores, member, np.arange(40))
    for t in range(4):
        others = np.repeat(np.arange(4) % 2 != t % 2, 40).reshape(4, 40)
        assert np.unique(found[t]).tolist() == [best_threshold(scores, member, others)]


def test_one_target_is_cut_into_halves_of_whole_groups():
    scores, member = drawn(1, 1, 60)
    groups = np.arange(60) // 3
    groups[member[0]] += 100  # groups of members and of non-members
    fold = halves(member[0], groups)
    for side in (member[0], ~member[0]):
        assert {0, 1} == {*fold[side]}
        assert all(len({*fold[side & (groups == g)]}) == 1 for g in np.unique(groups[side]))
    found = crossfit_thresholds(scores, member, groups)
    for one in (0, 1):
        assert np.unique(found[0, fold == one]).tolist() == [best_threshold(scores, member, (fold != one)[None])]


def test_one_target_with_one_group_of_members_has_no_threshold():
    scores, member = drawn(2, 1, 10)
    assert crossfit_thresholds(scores, member, np.where(member[0], 0, np.arange(10) + 1)) is None
