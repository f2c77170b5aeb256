"""Settings files: what nobody means is refused with its line, whatever else comes is read or one message."""

from __future__ import annotations

import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantleak.errors import InputError
from quantleak.requests.yaml_text import read_yaml

CASES = int(os.environ.get("QUANTLEAK_FUZZ_CASES", "2000"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.dates()
SETTINGS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: 64\nseed: 1\nmodels: 8\n", "'models' is given twice, in lines 1 and 3; leave one out"),
        ("a:\n  b: 1\n  b: 1\n", "'b' is given twice, in lines 2 and 3"),
        ("a: {b: 1, b: 2}\n", "'b' is given twice"),
        ("a: &x [1]\nb: *x\n", r"line 2 refers to another part \(\*\)"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3 refers to another part"),
        ("[" * 21 + "]" * 21, "line 1 is nested deeper than 20 levels"),
        ("[" * 100_000, "line 1 is nested deeper than 20 levels"),
        ("a: 2025-02-31\n", "a.yaml is not YAML that can be used: day is out of range"),
        ("a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("? [1, 2]\n: 3\n", "unhashable|not YAML"),
        ("a: 0b_\n", "not YAML"),
        ("a: [1\n", "not YAML"),
        ("a: 1\n---\nb: 2\n", "single document"),
        (b"a: \xff\xfe\n", "not YAML"),
        ("a: \x00\n", "not YAML"),
    ],
)
def test_what_nobody_means_is_refused_with_its_line(text, message):
    with pytest.raises(InputError, match=message):
        read_yaml(text, "a.yaml")


def test_twenty_levels_are_read():
    assert repr(read_yaml("[" * 20 + "]" * 20, "a.yaml")) == "[" * 20 + "]" * 20


@settings(max_examples=max(1, CASES // 20))
@given(SETTINGS)
def test_what_was_written_is_read(value):
    assert read_yaml(yaml.safe_dump(value), "a.yaml") == value


@settings(max_examples=max(1, CASES * 3 // 20))
@given(st.text() | st.text("[]{}:-,&*!|>'\"%@` \n\tabc019.?#<", max_size=60) | st.binary(max_size=60))
def test_any_text_is_a_value_or_one_message(text):
    problem = ""
    try:
        read_yaml(text, "a.yaml")
    except InputError as error:
        problem = str(error)
    assert problem.startswith("a.yaml is not YAML that can be used: ") or not problem
