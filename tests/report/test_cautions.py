"""What to know before a result is trusted: each kind where it belongs, and nothing where nothing stands out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantleak.report.cautions import cautions
from quantleak.results import Estimate, Utility


def kinds(result) -> list[str]:
    return [caution.kind for caution in cautions(result)]


def texts(result) -> str:
    return " ".join(caution.text for caution in cautions(result))


@pytest.fixture
def plain(make, case):
    """A result of which nothing stands out: all rates supported, 32 models, no duplicates."""
    result = make(case(fpr=0.001))
    quiet = {"duplicates_removed": 0, "conflicts": 0, "notes": []}
    original, *rest = result.quantizers
    original = replace(original, training=Estimate(value=0.99))
    return replace(result, data=result.data | quiet, quantizers=[original, *rest], cautions=[])


def with_original(result, **changes):
    original, *rest = result.quantizers
    return replace(result, quantizers=[replace(original, **changes), *rest])


def test_nothing_is_said_where_nothing_stands_out(plain) -> None:
    assert cautions(plain) == []


def test_how_the_data_were_read_and_what_repeats(plain) -> None:
    notes = {"notes": ["column 'dose' was read with decimal commas"], "repeated": 70, "conflicts": 20}
    result = replace(plain, data=plain.data | notes)
    assert kinds(result) == ["data", "data"]
    assert "How the data were read: column 'dose' was read with decimal commas." in texts(result)
    assert "70 repeated rows are kept in one group with the first. 20 of them have another target" in texts(result)


@pytest.mark.parametrize(
    ("spread", "advice"),
    [({"skewness": 25.6, "skewness_of_logarithm": 0.1}, True), ({"skewness": 25.6}, False), ({"skewness": 1.0}, None)],
)
def test_a_heavy_tail_and_where_a_logarithm_helps(plain, spread, advice) -> None:
    result = replace(plain, data=plain.data | {"target_spread": spread})
    assert ("heavy tail" in texts(result)) == (advice is not None)
    assert ("audit the logarithm of the target instead" in texts(result)) == bool(advice)


def test_utility_at_chance(plain) -> None:
    utility = Utility(value=0.537, low=0.464, high=0.604, metric="auroc", chance=0.5)
    result = with_original(plain, utility=utility)
    assert "predict no better than guessing: AUROC is 0.537 [0.464, 0.604]; guessing has 0.500." in texts(result)
    better = with_original(plain, utility=replace(utility, low=0.52))
    assert "no better" not in texts(better)


@pytest.mark.parametrize(("training", "test", "said"), [(0.24, 0.23, True), (0.60, 0.55, False), (0.999, 0.998, False)])
def test_models_that_fit_their_own_examples_no_better_than_others(plain, training, test, said) -> None:
    result = with_original(plain, utility=Utility(value=test, metric="accuracy"), training=Estimate(value=training))
    assert ("underfitted" in kinds(result)) == said


def test_r2_below_zero_is_useless(make, case) -> None:
    result = make(case(metric="r2", fpr=0.001))
    rows = [
        replace(row, utility=replace(row.utility, value=-1.05e11 if row.spec in ("identity", "sign") else 0.4))
        for row in result.quantizers
    ]
    assert "R2 of the original and of sign is below 0: these models are useless" in texts(
        replace(result, quantizers=rows)
    )
    only = [replace(row, utility=replace(row.utility, value=0.4 if row.spec != "sign" else -3.0)) for row in rows]
    assert "R2 of sign is below 0" in texts(replace(result, quantizers=only))


def test_few_targets_and_few_examples(plain) -> None:
    few = replace(plain, n=plain.n | {"models": 8, "non_members": 40})
    assert kinds(few) == ["few targets", "few examples"]
    assert "4 of 8 report" in texts(few)
    assert "each model has 40 non-members" in texts(few)


def test_why_the_headline_is_at_its_rate(make, case, plain) -> None:
    result = make(case(fpr=0.1))
    result = replace(result, n=result.n | {"non_members": 142})
    assert (
        "Members found at 0.1% and 1% false alarms cannot be measured: each model has 142 non-members. So the headline "
        "is at 10%, the smallest rate that can be measured."
    ) in texts(result)
    assert "the headline is an AUC" in texts(make(case(fpr=None)))
    assert "rates" not in kinds(plain)
