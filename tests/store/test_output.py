"""A record that a job leaves comes back the same from its parts and from disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from quantleak.errors import InputError
from quantleak.results import Estimate
from quantleak.store import Arrays, Folder, Output


@dataclass(frozen=True, kw_only=True, eq=False)
class Left(Output):
    table: np.ndarray
    columns: Arrays
    rows: list[Estimate]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair(Output):
    """Two records in one, beside an array and a dictionary of arrays whose names begin alike."""

    one: Left
    one_more: Left
    table: np.ndarray
    columns: Arrays


@dataclass(frozen=True, kw_only=True, eq=False)
class Nested(Output):
    pair: Pair
    seconds: float


ARRAYS = npst.arrays(st.sampled_from([np.float64, np.int32, np.bool_]), npst.array_shapes(min_side=0))
NAMES = st.text("abc/@ .:", min_size=1, max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(table=ARRAYS, columns=st.dictionaries(NAMES, ARRAYS, max_size=3), value=FLOATS)
def test_parts_make_the_whole(table: np.ndarray, columns: dict[str, np.ndarray], value: float) -> None:
    before = Left(table=table, columns=columns, rows=[Estimate(value=value, reason="a")], seconds=value)
    after = Left.whole(*before.parts())
    np.testing.assert_array_equal(after.table, table)
    assert list(after.columns) == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(after.columns[name], column)
    assert (after.rows, after.seconds) == (before.rows, before.seconds)


def test_what_is_not_a_number_survives_the_folder(tmp_path: Path) -> None:
    left = Left(table=np.zeros(0), columns={}, rows=[Estimate(value=None)], seconds=float("nan"))
    with Folder(tmp_path, {"settings": {}}) as folder:
        assert not folder.done("job", Left)
        folder.save("job", left)
        assert folder.done("job", Left)
        again = folder.load("job", Left)
    assert np.isnan(again.seconds)
    assert again.rows == left.rows


def test_parts_of_another_record_are_refused() -> None:
    with pytest.raises(InputError, match="not the parts of Left"):
        Left.whole({"table": np.zeros(1)}, {"rows": []})
    with pytest.raises(InputError, match="not the parts of Left"):
        Left.whole({"table": np.zeros(1)}, {"rows": "many", "seconds": 0.0})


def made(random: np.random.Generator, name: str) -> Left:
    """A record with values of its own."""
    value = float(random.random())
    columns = {name: random.random(3), "one/table": random.random(2)}
    return Left(table=random.random(4), columns=columns, rows=[Estimate(value=value, reason=name)], seconds=value)


def assert_same(before: Left, after: Left) -> None:
    np.testing.assert_array_equal(after.table, before.table)
    assert list(after.columns) == list(before.columns)
    for name, column in before.columns.items():
        np.testing.assert_array_equal(after.columns[name], column)
    assert (after.rows, after.seconds) == (before.rows, before.seconds)


@given(seed=st.integers(0, 2**32 - 1), name=NAMES)
def test_records_in_records_come_back_each_with_its_own_parts(seed: int, name: str) -> None:
    random = np.random.default_rng(seed)
    pair = Pair(
        one=made(random, name), one_more=made(random, name), table=random.random(5), columns={name: random.random(1)}
    )
    after = Nested.whole(*Nested(pair=pair, seconds=1.0).parts())
    assert_same(pair.one, after.pair.one)
    assert_same(pair.one_more, after.pair.one_more)
    np.testing.assert_array_equal(after.pair.table, pair.table)
    assert list(after.pair.columns) == [name]
    assert after.seconds == 1.0


def test_arrays_of_a_record_in_a_record_are_named_by_the_way_to_them() -> None:
    inner = Left(table=np.zeros(1), columns={"a": np.ones(1)}, rows=[], seconds=2.0)
    arrays, values = Nested(pair=Pair(one=inner, one_more=inner, table=np.zeros(2), columns={}), seconds=3.0).parts()
    assert sorted(arrays) == [
        "pair/one/columns/a", "pair/one/table", "pair/one_more/columns/a", "pair/one_more/table", "pair/table"
    ]  # fmt: skip
    seconds = {"rows": [], "seconds": 2.0}
    assert values == {"pair": {"one": seconds, "one_more": seconds}, "seconds": 3.0}


def test_a_record_in_a_record_survives_the_folder(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pair = Pair(one=made(random, "a"), one_more=made(random, "b"), table=np.zeros((0, 3)), columns={})
    with Folder(tmp_path, {"settings": {}}) as folder:
        folder.save("job", Nested(pair=pair, seconds=float("nan")))
        again = folder.load("job", Nested)
    assert_same(pair.one, again.pair.one)
    assert_same(pair.one_more, again.pair.one_more)
    assert again.pair.table.shape == (0, 3)
    assert again.pair.columns == {}
    assert np.isnan(again.seconds)


def test_parts_of_another_record_inside_are_refused() -> None:
    random = np.random.default_rng(0)
    pair = Pair(one=made(random, "a"), one_more=made(random, "b"), table=np.zeros(1), columns={})
    arrays, values = pair.parts()
    with pytest.raises(InputError, match="not the parts of Left"):
        Pair.whole({name: one for name, one in arrays.items() if name != "one_more/table"}, values)
    with pytest.raises(InputError, match="not the parts of Pair"):
        Pair.whole(arrays, {"one": values["one"]})
    with pytest.raises(InputError, match="not the parts of Left"):
        Pair.whole(arrays, values | {"one": {"rows": []}})
