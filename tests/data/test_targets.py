import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.data.targets import read_targets
from quantleak.errors import InputError

TEN = list(range(3)) * 10


@pytest.mark.parametrize(
    ("column", "task", "classes"),
    [
        ([0, 1, 1], "binary", ("0", "1")),
        ([2.5, -1.0, 2.5], "binary", ("-1", "2.5")),
        ([True, False], "binary", ("0", "1")),
        (["no", "yes"], "binary", ("no", "yes")),
        (["1", "0", "1"], "binary", ("0", "1")),
        (["c", "a", "b"], "multiclass", ("a", "b", "c")),
        (TEN, "multiclass", ("0", "1", "2")),
        ([float(value) for value in TEN], "multiclass", ("0", "1", "2")),
        (list(range(20)) * 2, "regression", None),
        ([float(value) for value in range(60)] * 9, "regression", None),
        (list(range(50)) * 10, "multiclass", tuple(map(str, range(50)))),
        (list(range(51)) * 10, "regression", None),
        ([value + 0.5 for value in TEN], "regression", None),
        ([str(value) for value in range(20)], "regression", None),
    ],
)
def test_the_task_rule(column, task, classes):
    targets = read_targets(column, "y")
    assert (targets.task, targets.classes) == (task, classes)
    assert task in targets.rule


def test_numbers_are_sorted_by_value_not_as_text():
    assert read_targets([10, 2] * 10, "y").classes == ("2", "10")


@given(st.lists(st.sampled_from(["x", "y", "<script>alert(1)</script>"]), min_size=1, max_size=20))
def test_codes_give_the_classes_back(labels):
    if len(set(labels)) < 2:
        return
    targets = read_targets(labels, "y")
    assert [targets.classes[code] for code in targets.values] == labels
    assert targets.values.dtype == np.int64


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8", "g"])
def test_whole_numbers_of_any_float_are_named_as_whole(dtype):
    assert read_targets(np.array([0, 1, 1], dtype), "y").classes == ("0", "1")


def test_asking_for_a_task():
    assert read_targets([1, 2, 3], "y", "multiclass").classes == ("1", "2", "3")
    assert read_targets([0, 1], "y", "multiclass").task == "multiclass"
    asked = read_targets([0, 1], "y", "regression")
    assert (asked.values.dtype, asked.classes, asked.rule) == (np.float64, None, "requested: regression")


def test_one_axis_too_many_is_forgiven_if_it_is_one_long():
    assert read_targets(np.array([[0], [1]]), "y").values.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("column", "task", "message"),
    [
        ([1, 1, 1], None, "only 1: there is nothing to learn"),
        (["a", "a"], None, "only 'a'"),
        ([], None, "no value"),
        ([1.0, float("nan"), 2.0], None, r"target 'y' is missing.*1 of 3 rows \(data rows 2;"),
        ([1.0, float("inf"), 2.0], None, "infinite in 1 of 3"),
        (np.array(["a", None, "b"], object), None, "missing or not text in 1 of 3 rows .*rows 2;"),
        (["a", "", "b"], None, "missing or not text"),
        (
            ["1", "2", "3", "n/a"],
            None,
            "numbers, except for such as 'n/a' in 1 of 4 rows .*is missing.*--task multiclass",
        ),
        (["yes", "no", "?"], None, r"target 'y' is missing \(written '\?'\) in 1 of 3 rows \(data rows 3;"),
        (["yes", "NA", "yes"], None, r"missing \(written 'NA'\).*--task multiclass"),
        ([" ", "a", "b"], None, "missing or not text in 1 of 3"),
        (["1,234", "5", "6"], None, "target 'y' holds numbers whose commas and points can be read in two ways"),
        (
            TEN[:-1],
            None,
            r"3 integer values, some of them rare .*: 2 \(9\)\): .*--task multiclass or --task regression",
        ),
        ([0] * 500 + [1] * 499 + [2], None, r"rare .*: 2 \(1\)\)"),
        ([0.0] * 70 + list(range(1, 31)), None, r"31 integer values.*: 1 \(1\), 2 \(1\), .*, \.\.\.\)"),
        (np.ma.masked_equal([0, 1, -999], -999).tolist(), None, "missing or not text in 1 of 3"),
        (np.array([1.5, "a", None], object), None, r"missing or not text in 1 of 3 rows \(data rows 3;"),
        (np.array([1.5, "a", "b"], object), None, r"missing or not text in 1 of 3 rows \(data rows 1;"),
        ([1, 2, 3], "binary", "two values, 'y' has 3"),
        (["a", "b"], "regression", "holds text such as 'a'"),
        ([0.5, 1.5], "multiclass", "Use task 'regression'"),
        ([0, 1], "regresion", "Did you mean 'regression'"),
        (np.zeros((3, 2)), None, r"shape \(3, 2\)"),
        (np.array([1j, 2j]), None, "numbers or text, got complex128"),
    ],
)
def test_targets_that_cannot_be_used(column, task, message):
    with pytest.raises(InputError, match=message):
        read_targets(column, "y", task)


def test_text_classes_that_are_mostly_numbers_can_be_asked_for():
    assert read_targets(["1", "2", "3+"], "y", "multiclass").classes == ("1", "2", "3+")


def test_taking_rows():
    assert read_targets([0, 1, 1], "y").take(np.array([2, 0])).values.tolist() == [1, 0]


@pytest.mark.parametrize("text", ["1e5", "-3", ".5", "1.", "+2", " 7 ", "\t1.5E-3", "-.5e+2", "007"])
def test_texts_that_are_numbers(text):
    targets = read_targets([text, "11", "13"], "y")
    assert targets.task == "regression"
    assert targets.values[0] == float(text)


@pytest.mark.parametrize("text", ["1_000", "infinity", "-inf", "٣", "1e", "e5", ".", "1 2", "0x10", "+-1", "1.5.2"])
def test_texts_that_are_no_numbers(text):
    assert read_targets([text, "b", "c"], "y").classes == tuple(sorted([text, "b", "c"]))
    with pytest.raises(InputError, match=r"numbers, except for such as .* in 1 of 4 rows \(data rows 4;"):
        read_targets(["1", "2", "3", text], "y")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_rare_value_is_no_matter_once_the_task_is_said(task):
    assert read_targets(TEN[:-1], "y", task).task == task


def test_decimal_commas_in_a_target_are_read_and_the_rule_says_so():
    targets = read_targets(["1,5", "2", "2,25"], "y")
    assert targets.values.tolist() == [1.5, 2, 2.25]
    assert targets.decimal_comma
    assert targets.rule == "3 numbers: regression; the target is text and was read as numbers with decimal commas"


def test_markers_can_be_the_name_of_a_class():
    assert read_targets(["yes", "no", "NA"], "y", "multiclass").classes == ("NA", "no", "yes")
    assert read_targets(["+", "-"], "y").classes == ("+", "-")


def test_objects_that_are_numbers_are_numbers():
    assert read_targets(np.array([0, 1, 1], object), "y").values.tolist() == [0, 1, 1]
    assert read_targets(np.array([True, np.bool_(False)], object), "y").classes == ("0", "1")


def test_a_text_beyond_the_largest_number_is_infinite():
    with pytest.raises(InputError, match="infinite in 1 of 3"):
        read_targets(["1", "2", "1e999"], "y")
