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
