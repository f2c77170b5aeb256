"""The grammar of specs on records made for it; quantizers, models, optimizers and procedures test their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.errors import InputError
from quantleak.spec import Specified, read_spec, split_name, write_spec


@dataclass(frozen=True, kw_only=True)
class Made(Specified):
    name: ClassVar[str] = "made"
    example: ClassVar[str] = "made:2,1,1"
    positional: ClassVar[tuple[str, ...]] = ("count", "widths")

    count: int
    widths: tuple[int, ...] = ()
    share: float = 0.5
    axis: int | None = None
    loud: bool = False
    word: str = "a"


def read(spec: str) -> Made:
    name, rest = split_name(spec)
    assert name == "made"
    return read_spec(Made, rest)


@given(
    count=st.integers(),
    widths=st.lists(st.integers(), min_size=1, max_size=4).map(tuple),
    share=st.floats(allow_nan=False),
    axis=st.none() | st.integers(),
    loud=st.booleans(),
    word=st.text("abcxyz-", min_size=1),
)
def test_what_is_written_is_read_again(count, widths, share, axis, loud, word) -> None:
    made = Made(count=count, widths=widths, share=share, axis=axis, loud=loud, word=word)
    assert read(write_spec(made)) == made


def test_a_last_list_takes_what_is_left() -> None:
    assert read("made:3") == Made(count=3)
    assert read("made:3,4,5").widths == (4, 5)
    assert read("made:3?widths=4,5").widths == (4, 5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("made", "'count' is missing; for example 'made:2,1,1'"),
        ("made:x", "'count' must be a whole number, got 'x'"),
        ("made:1,x", "'widths' must be whole numbers, separated by commas, got 'x'"),
        ("made:1,2,1_0", "separated by commas, got '2,1_0'"),
        ("made:1_0", "must be a whole number, got '1_0'"),
        ("made:1?axis=x", "'axis' must be a whole number or none, got 'x'"),
        ("made:1?loud=yes", "must be true or false"),
        ("made:1?lout=true", "unknown option 'lout=true'. Did you mean 'loud'"),
        ("made:1?count=2", "'count' is given twice"),
        ("made:" + "1" * 5000, r"got '1{40}\.\.\.'"),
    ],
)
def test_what_cannot_be_read_is_said(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(spec)
