"""What the figure shows."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantleak.report.figures.points import points_of

few = st.sampled_from([0.1, 0.2, 0.3, 0.4])


def row(spec, utility, leakage):
    return (spec, 2.0, utility, leakage, 0.5 + leakage, 1e-3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(few, few), min_size=1, max_size=8))
def test_the_front_is_what_nobody_would_trade(make, places):
    rows = tuple(row(f"uniform:{bits}", *place) for bits, place in enumerate(places, 2))
    drawing = points_of(make(rows=rows))
    for point, (utility, leakage) in zip(drawing.points, places, strict=True):
        better = [u >= utility and y <= leakage and (u > utility or y < leakage) for u, y in places]
        assert point.front == (not any(better))


def test_points_are_the_result(make):
    result = make()
    drawing = points_of(result)
    assert drawing.missing == ()
    assert (drawing.utility_title, drawing.leakage_title, drawing.shares, drawing.chance) == (
        "AUROC",
        "Members found at 1% false alarms",
        True,
        0.01,
    )
    for point, quantizer in zip(drawing.points, result.quantizers, strict=True):
        assert (point.utility.value, point.leakage.value) == (quantizer.utility.value, quantizer.worst.value)
        assert (point.utility.low, point.utility.high) == (quantizer.utility.low, quantizer.utility.high)
        assert (point.leakage.low, point.leakage.high) == (quantizer.worst.low, quantizer.worst.high)
    assert [point.label for point in drawing.points if point.chosen] == ["90% sparse"]
    assert [point.label for point in drawing.points if point.kind == "original"] == ["original"]
    refused = replace(result.recommended, quantizer=None, least_leaking="sign", outcome="too risky")
    drawing = points_of(replace(result, recommended=refused))
    assert [point.label for point in drawing.points if point.chosen] == ["1 bit"]


def test_without_a_supported_rate_leakage_is_the_auc(make, case):
    drawing = points_of(make(case(fpr=None)))
    assert (drawing.leakage_title, drawing.shares, drawing.chance) == ("AUC of the attack", False, 0.5)


def test_rates_that_cannot_be_compared_give_way_to_the_auc(make):
    result = make()
    first, *rest = result.quantizers
    mixed = replace(result, quantizers=[replace(first, worst=replace(first.worst, fpr=0.1)), *rest])
    drawing = points_of(mixed)
    assert drawing.leakage_title == "AUC of the attack"
    assert [point.leakage.value for point in drawing.points] == [q.worst.auc.value for q in result.quantizers]


def test_without_intervals_there_are_points(make, case):
    for point in points_of(make(case(intervals=False))).points:
        assert point.utility.low == point.utility.value == point.utility.high


def test_useless_regression_stands_at_the_edge_and_keeps_its_place_on_the_front(make, case):
    rows = (row("identity", 0.7, 0.2), row("sign", -1480.0, 0.05), row("ternary:0.9", -15.0, 0.05))
    drawing = points_of(make(case(metric="r2"), rows))
    assert drawing.floor == -1.0
    assert [(point.utility.value, point.beyond, point.front) for point in drawing.points] == [
        (0.7, False, True),
        (-1.0, True, False),
        (-1.0, True, True),
    ]


def test_what_has_no_number_is_named(make):
    result = make()
    first, second, *rest = result.quantizers
    lost = replace(second, worst=replace(second.worst, value=None, low=None, high=None, reason="no attack could run"))
    drawing = points_of(replace(result, quantizers=[first, lost, *rest]))
    assert drawing.missing == ("sign",)
    assert len(drawing.points) == len(result.quantizers) - 1


@pytest.mark.parametrize("metric", ["auroc", "accuracy"])
def test_only_r2_has_a_floor(make, case, metric):
    assert points_of(make(case(metric=metric))).floor is None
