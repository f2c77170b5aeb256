"""Names beside points: none over another, none outside."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantleak.report.figures.labels import Anchor, Box, place

AREA = Box(left=0.0, top=0.0, right=470.0, bottom=400.0)


def anchors_at(*places):
    return [Anchor(x=float(x), y=float(y), width=75.0, height=14.0) for x, y in places]


def covered(one, two):
    """Oracle: the pixels that two boxes share, counted on a grid of quarter pixels."""
    return sum(
        one.left < x / 2 < one.right and two.left < x / 2 < two.right
        for x in range(2 * int(min(one.left, two.left)), 2 * int(max(one.right, two.right)) + 2)
    ) * sum(
        one.top < y / 2 < one.bottom and two.top < y / 2 < two.bottom
        for y in range(2 * int(min(one.top, two.top)), 2 * int(max(one.bottom, two.bottom)) + 2)
    )


def assert_legible(placed):
    for one, two in itertools.combinations(placed, 2):
        assert covered(one.box, two.box) == 0
    for name in placed:
        assert name.box.left >= AREA.left
        assert name.box.right <= AREA.right
        assert name.box.top >= AREA.top
        assert name.box.bottom <= AREA.bottom


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(10, 460), st.floats(10, 390)), min_size=1, max_size=9))
def test_nine_points_anywhere(places):
    assert_legible(place(anchors_at(*places), [], AREA))


@pytest.mark.parametrize("corner", [(10, 10), (460, 10), (10, 390), (460, 390), (235, 200)])
def test_five_points_in_one_place(corner):
    assert_legible(place(anchors_at(*[corner] * 5), [], AREA))


def test_a_lonely_point_has_its_name_beside_it():
    (name,) = place(anchors_at((200, 200)), [], AREA)
    assert not name.led
    x, y = name.box.nearest(200.0, 200.0)
    assert (x - 200) ** 2 + (y - 200) ** 2 < 15**2


def test_a_name_that_had_to_go_far_has_a_line():
    ground = Box(left=150.0, top=150.0, right=250.0, bottom=250.0)
    (name,) = place(anchors_at((200, 200)), [ground], AREA)
    assert name.led
    assert covered(name.box, ground) == 0


def test_names_avoid_bars():
    bar = Box(left=0.0, top=193.0, right=470.0, bottom=207.0)
    (name,) = place(anchors_at((200, 200)), [bar], AREA)
    assert covered(name.box, bar) == 0


def test_the_same_points_have_the_same_names_and_no_points_none():
    points = anchors_at((100, 100), (101, 100), (300, 50))
    assert place(points, [], AREA) == place(points, [], AREA)
    assert place([], [], AREA) == []


def test_hopeless_crowds_are_still_placed():
    assert len(place(anchors_at(*[(20, 10)] * 12), [], Box(left=0.0, top=0.0, right=40.0, bottom=20.0))) == 12
