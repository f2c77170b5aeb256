"""Which rates are printed: expected false positives counted target by target."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import unsupported


def design(targets: int, non_members: int, members: int = 30):
    return np.tile(np.arange(members + non_members) < members, (targets, 1)), np.arange(members + non_members)


@pytest.mark.parametrize(
    ("targets", "non_members", "alpha", "supported"),
    [
        (1, 499, 0.01, True), (1, 498, 0.01, False), (7, 498, 0.01, False),
        (8, 249, 0.01, True), (8, 248, 0.01, False), (32, 199, 0.01, True), (32, 198, 0.01, False),
        (10, 199, 0.01, True), (9, 199, 0.01, False),
    ],
)  # fmt: skip
def test_five_expected_alone_or_two_and_twenty_together(targets, non_members, alpha, supported):
    assert (unsupported(alpha, *design(targets, non_members)) is None) == supported


def test_the_reason_names_what_is_needed_of_every_target():
    assert unsupported(0.001, *design(4, 450)) == "FPR 0.001 needs 4999 non-members per target, there are 450"
    assert unsupported(0.001, *design(64, 450)) == "FPR 0.001 needs 1999 non-members per target, there are 450"
    assert unsupported(0.01, *design(8, 100)) == "FPR 0.01 needs 249 non-members per target, there are 100"


def test_the_reason_is_exact():
    for targets in (3, 8, 9, 64):
        needed = int(unsupported(0.01, *design(targets, 50)).split()[3])
        assert unsupported(0.01, *design(targets, needed)) is None
        assert unsupported(0.01, *design(targets, needed - 1)) is not None


def test_rows_of_one_group_count_once_and_every_target_for_itself():
    member, _ = design(1, 600)
    groups = np.append(np.arange(30), 30 + np.arange(600) // 2)
    assert unsupported(0.01, member, groups).startswith("FPR 0.01 needs 499 groups of non-members per target")
    # 600 are a non-member of some target, but only 300 of each: what counts is one target.
    halves = np.stack([np.arange(600) < 300, np.arange(600) >= 300])
    assert unsupported(0.01, halves, np.arange(600)) == "FPR 0.01 needs 499 non-members per target, there are 300"
