"""Leakage by class against counting, and intervals against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.auditing.measures.classes import by_class, is_rare, leaks_most


def drawn(seed: int = 0, targets: int = 6, examples: int = 90) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = rng.random((targets, examples)) < 0.5
    classes = np.arange(examples) % 3
    flags = rng.random(member.shape) < np.where(member, 0.2 + 0.2 * classes, 0.1)
    return {"flags": flags, "member": member, "classes": classes, "groups": np.arange(examples)}


def test_shares_are_those_of_counting():
    given = drawn()
    found = by_class(**given, level=0.95)
    for code in range(3):
        one = given["classes"] == code
        flags, member = given["flags"][:, one], given["member"][:, one]
        assert found["examples"][code] == 30
        assert found["found"][code] == pytest.approx(flags[member].mean())
        assert found["alarms"][code] == pytest.approx(flags[~member].mean())
        assert found["found_low"][code] < found["found"][code] < found["found_high"][code]


def test_intervals_cover_the_true_share():
    covered = []
    for seed in range(200):
        found = by_class(**drawn(seed), level=0.95)
        truth = 0.2 + 0.2 * np.arange(3)
        covered += [*(found["found_low"] <= truth) & (truth <= found["found_high"])]
    # 95% of 600 is 570; fewer than 549 has probability below 0.001.
    assert sum(covered) >= 549


def test_the_excess_is_the_difference_and_its_interval_covers():
    covered, wider = [], []
    for seed in range(200):
        found = by_class(**drawn(seed), level=0.95)
        np.testing.assert_allclose(found["excess"], found["found"] - found["alarms"])
        truth = 0.1 + 0.2 * np.arange(3)
        covered += [*(found["excess_low"] <= truth) & (truth <= found["excess_high"])]
        wider.append((found["excess_high"] - found["excess_low"]) / (found["found_high"] - found["found_low"]))
    assert sum(covered) >= 549
    # Two sides are less certain than one.
    assert np.mean(wider) > 1.1


def test_a_class_of_few_examples_is_not_judged_however_much_is_found():
    given = drawn(examples=93)
    classes = np.array([0] * 60 + [1] * 24 + [2] * 9)
    given |= {"classes": classes, "flags": given["member"] & (classes > 0)}
    found = by_class(**given, level=0.95)
    assert found["supported"].tolist() == [True, True, False]
    assert found["excess"].tolist() == [0, 1, 1]
    assert leaks_most(found) == 1
    # Of 24 examples in two groups nothing is known of others.
    two = by_class(**(given | {"groups": np.where(classes == 1, 100 + np.arange(93) % 2, np.arange(93))}), level=0.95)
    assert two["supported"].tolist() == [True, False, False]
    assert leaks_most({"supported": np.zeros(3, bool), "excess": np.ones(3)}) is None


def test_all_of_a_class_found_is_not_certain():
    given = drawn()
    given["flags"] = given["member"].copy()
    found = by_class(**given, level=0.95)
    assert (found["excess"] == 1).all()
    assert (found["excess_low"] < 1).all()
    assert (found["excess_high"] == 1).all()


def test_a_class_without_members_has_no_share_of_them():
    given = drawn()
    given["member"][:, given["classes"] == 1] = False
    found = by_class(**given, level=0.95)
    assert np.isnan(found["found"][1])
    assert np.isnan(found["found_low"][1])
    assert np.isnan(found["excess"][1])
    assert not found["supported"][1]
    assert not np.isnan(found["alarms"]).any()


def test_nothing_found_has_an_upper_limit_above_nothing():
    given = drawn()
    given["flags"][:, given["classes"] == 2] = False
    found = by_class(**given, level=0.95)
    assert found["found"][2] == 0
    assert found["found_low"][2] == 0 < found["found_high"][2]


def test_rare_means_less_than_half_of_an_equal_share():
    assert is_rare(np.array([50, 34, 16])).tolist() == [False, False, True]
