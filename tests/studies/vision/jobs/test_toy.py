"""The world in which quantization only maps scores, against areas under the ROC that have a closed form.

With many shadows the means of IN and OUT are known, one apart, and scores have variance 1. A rising score then has the
AUC Phi(1 / sqrt 2); a two-sided one says member where |score - OUT mean| is large, and p^2 + (1 - p)^2 with p =
Phi(1 / sqrt 2) by rotation. Mapped by s / 2 + 1 while shadows are not, the distance to the OUT mean is half of the
shift, of variance (9 + 1) / 4 with that of the means.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from quantleak.studies.vision.jobs.toy import BOTH, INVERTED, MAPPED, MATCHED, ToyJob

ERROR = 0.012
"""Two and a half standard errors of an AUC on 2 x 10,000 examples are 0.009; medians of 128 shadows cost 0.002."""
ONE_SIDED = ("online", "online, one variance", "offline, one-sided")

Aucs = dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def aucs() -> Aucs:
    return ToyJob(seed=3, shadows=256)(None)[1]


@pytest.mark.parametrize("attack", ONE_SIDED)
def test_matched_attacks_find_what_there_is(aucs: Aucs, attack: str) -> None:
    assert aucs[MATCHED][attack] == pytest.approx(norm.cdf(np.sqrt(0.5)), abs=ERROR)


def test_looking_both_ways_costs_what_rotation_says(aucs: Aucs) -> None:
    p = norm.cdf(np.sqrt(0.5))
    assert aucs[MATCHED]["offline, two-sided"] == pytest.approx(p**2 + (1 - p) ** 2, abs=ERROR)


@pytest.mark.parametrize("attack", ONE_SIDED)
def test_shadows_that_are_not_mapped_leave_what_the_closed_form_says(aucs: Aucs, attack: str) -> None:
    assert aucs[MAPPED][attack] == pytest.approx(norm.cdf(0.5 / np.sqrt(2 * 2.5)), abs=ERROR)


def test_a_map_of_target_and_shadows_changes_no_rank(aucs: Aucs) -> None:
    assert aucs[BOTH] == pytest.approx(aucs[MATCHED], abs=1e-6)


def test_inverting_the_map_on_known_non_members_restores_the_signal(aucs: Aucs) -> None:
    assert aucs[INVERTED] == pytest.approx(aucs[MATCHED], abs=0.004)


def test_few_shadows_find_less_and_the_seed_draws_the_world() -> None:
    first, again, other = (ToyJob(seed=seed, shadows=8, examples=4000)(None)[1] for seed in (0, 0, 1))
    assert first == again != other
    assert first[MATCHED]["online"] < norm.cdf(np.sqrt(0.5)) - 0.03
