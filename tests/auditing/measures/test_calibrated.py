"""Members that calibrated against other members: shares by hand, AUC by scikit-learn, intervals by repetition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from quantleak.auditing.measures.calibrated import by_use


def _drawn(shift: float, seed: int = 0, targets: int = 8, examples: int = 120) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    member = random.random((targets, examples)) < 0.5
    calibrated = member & (random.random((targets, examples)) < 0.25)
    scores = random.normal(size=(targets, examples)).round(1) + shift * calibrated
    return scores, scores > 1.0, member, calibrated


def test_shares_and_auc_are_those_of_their_definitions() -> None:
    scores, flags, member, calibrated = _drawn(0.8)
    found = by_use(scores, flags, member, calibrated, np.arange(120), 0.95)
    one = [flags[t, calibrated[t]].mean() for t in range(8)]
    two = [flags[t, member[t] & ~calibrated[t]].mean() for t in range(8)]
    aucs = [roc_auc_score(calibrated[t, member[t]], scores[t, member[t]]) for t in range(8)]
    assert float(found["found"]) == pytest.approx(np.mean(one))
    assert float(found["others"]) == pytest.approx(np.mean(two))
    assert float(found["difference"]) == pytest.approx(np.mean(one) - np.mean(two))
    assert float(found["auc"]) == pytest.approx(np.mean(aucs))


def test_false_alarms_are_the_share_of_non_members_and_these_have_no_other_say() -> None:
    scores, flags, member, calibrated = _drawn(0.3)
    other = np.where(member, scores, 99.0)
    codes = np.arange(120)
    found = by_use(scores, flags, member, calibrated, codes, 0.95)
    assert found == by_use(other, flags, member, calibrated, codes, 0.95)
    assert float(found["alarms"]) == pytest.approx(np.mean([flags[t, ~member[t]].mean() for t in range(8)]))


def test_where_something_is_missing_the_rest_is_there() -> None:
    scores, flags, member, calibrated = _drawn(0.3)
    codes = np.arange(120)
    without = by_use(scores, flags, member, np.zeros_like(member), codes, 0.95)
    assert without["auc"].reason == without["found"].reason == "no member is used for calibration"
    assert float(without["others"]) == pytest.approx(np.mean([flags[t, member[t]].mean() for t in range(8)]))
    unflagged = by_use(scores, None, member, calibrated, codes, 0.95)
    assert unflagged["found"].reason == "no false-positive rate is supported"
    assert unflagged["auc"] == by_use(scores, flags, member, calibrated, codes, 0.95)["auc"]


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_intervals_cover(shift: float) -> None:
    scores = np.random.default_rng(9).normal(size=(2, 400_000))
    truth = float(((scores[0] + shift) > scores[1]).mean())
    hits = 0
    for seed in range(200):
        found = by_use(*_drawn(shift, seed), np.arange(120), 0.95)["auc"]
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    assert hits >= 184  # 190 expected
