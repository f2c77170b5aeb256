from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from quantleak.studies.common.true_negatives import true_negatives


def test_true_negatives_are_those_of_the_roc() -> None:
    random = np.random.default_rng(0)
    member = random.random((3, 5000)) < 0.5
    signals = random.normal(size=member.shape) + member
    for row, inside, found in zip(signals, member, true_negatives(signals, member), strict=True):
        fpr, tpr, _ = roc_curve(inside, row, drop_intermediate=False)
        assert found == pytest.approx(1 - fpr[np.searchsorted(tpr, 0.99)], abs=0.01)


def test_scores_that_are_apart_clear_everyone_and_equal_ones_nobody() -> None:
    member = np.arange(200).reshape(2, 100) % 2 == 0
    signals = np.stack([member[0] * 1.0, np.zeros(100)])
    assert true_negatives(signals, member).tolist() == [1, 0]


@pytest.mark.parametrize("members", [60, 101, 151, 900])
def test_the_threshold_is_the_highest_that_finds_99_percent_but_for_one_member(members: int) -> None:
    random = np.random.default_rng(members)
    signals = np.concatenate([random.normal(1, 1, members), random.normal(size=4000)])
    member = np.arange(len(signals)) < members
    mine, others = np.sort(signals[member]), signals[~member]
    best, fewer = (
        max((others < t).mean() for t in mine if (mine >= t).mean() >= min(share, 1))
        for share in (0.99, 0.99 + 1 / members)
    )
    (found,) = true_negatives(signals[None], member[None])
    assert fewer <= found <= best
