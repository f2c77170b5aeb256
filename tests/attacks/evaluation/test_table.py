"""Scores and memberships, checked and put in order."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from quantleak.attacks.evaluation.table import group_codes, score_table
from quantleak.errors import InputError


def drawn(targets: int = 3, examples: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    member = rng.random((targets, examples)) < 0.5
    return np.round(rng.normal(size=member.shape) + member, 1), member


def test_figures_are_scikit_learns():
    scores, member = drawn()
    table = score_table(scores, member)
    np.testing.assert_allclose(table.auc(), [roc_auc_score(*row) for row in zip(member, scores, strict=True)])
    decisions = scores >= 0.5
    expected = [balanced_accuracy_score(*row) for row in zip(member, decisions, strict=True)]
    np.testing.assert_allclose(table.balanced_accuracy(decisions), expected)


def test_examples_are_ordered_by_score():
    scores, member = drawn()
    table = score_table(scores, member)
    ordered = np.take_along_axis(scores, table.descending, axis=1)
    assert (np.diff(ordered, axis=1) <= 0).all()
    assert (np.sort(table.descending, axis=1) == np.arange(50)).all()


def test_one_target_may_be_given_without_its_axis():
    scores, member = drawn(1)
    one, same = score_table(scores[0], member[0]), score_table(scores, member)
    assert one.scores.shape == (1, 50)
    assert one.auc() == same.auc()


def test_codes_number_the_groups_and_without_groups_the_examples():
    names = np.array(["b", "a", "b", "c"])
    codes = group_codes(names, 4)
    assert [[bool(x == y) for x in codes] for y in codes] == [[bool(x == y) for x in names] for y in names]
    assert sorted({*codes.tolist()}) == [0, 1, 2]
    assert group_codes(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": np.zeros((0, 5))}, "not empty"),
        ({"scores": np.where(np.eye(3, 50) == 1, np.nan, 0)}, "3 NaN, the first at target 0, example 0"),
        ({"member": np.zeros((3, 49), dtype=bool)}, r"member has shape \(3, 49\)"),
        ({"member": np.arange(3)[:, None] + np.arange(50) < 50}, "target 0 has members only"),
        ({"member": np.zeros((3, 50), dtype=bool)}, "target 0 has non-members only"),
        ({"groups": np.arange(49)}, r"groups has shape \(49,\), expected \(50,\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(changed, message):
    scores, member = drawn()
    with pytest.raises(InputError, match=message):
        score_table(**{"scores": scores, "member": member} | changed)
