import numpy as np
import pandas as pd
import pytest
import torch

from quantleak.data import Dataset, from_arrays
from quantleak.data.features import Columns, Ready
from quantleak.errors import InputError

EVERY = np.arange(4)


@pytest.mark.parametrize(
    ("features", "scale", "kind"),
    [
        (np.eye(4), None, Columns),
        (np.arange(4), None, Columns),
        (np.eye(4, dtype=bool), None, Ready),
        (np.eye(4), False, Ready),
        (np.eye(4, dtype=bool), True, Columns),
        (np.zeros((4, 3, 2, 2), np.uint8), None, Ready),
    ],
)
def test_columns_are_scaled_and_everything_else_is_kept(features, scale, kind):
    assert isinstance(from_arrays(features, [0, 1, 0, 1], scale=scale).features, kind)


def test_images_of_8_bits_are_in_0_to_1():
    images = np.array([0, 51, 102, 255], np.uint8).reshape(4, 1, 1)
    encoded = from_arrays(images, [0, 1, 0, 1]).encode(EVERY)
    np.testing.assert_allclose(encoded.ravel(), [0, 0.2, 0.4, 1], rtol=1e-6)


def test_equal_rows_and_the_users_groups_are_merged():
    features = [[1.0], [2.0], [1.0], [3.0], [4.0]]
    dataset = from_arrays(features, [0, 1, 1, 0, 1], groups=["u", "u", "v", "w", "x"])
    assert dataset.groups.tolist() == [0, 0, 0, 1, 2]


def test_regression_targets_are_standardised_on_the_fitted_rows_only():
    dataset = from_arrays(np.eye(4), [0.0, 2.0, 7.5, 9.0])
    np.testing.assert_allclose(dataset.encode_targets(np.array([0, 1])), [-1, 1, 6.5, 8])
    assert dataset.targets.tolist() == [0.0, 2.0, 7.5, 9.0]


def test_class_codes_are_left_alone():
    assert from_arrays(np.eye(4), ["a", "b", "a", "b"]).encode_targets(EVERY).tolist() == [0, 1, 0, 1]


def test_the_digest_depends_on_everything_that_matters_and_not_on_the_name():
    def digest(scale_by=1, labels=(0, 1, 0, 1), **options):
        return from_arrays(scale_by * np.eye(4), list(labels), **options).digest

    assert digest() == digest(name="other")
    variants = [
        digest(),
        digest(scale_by=2),
        digest(labels=(1, 1, 0, 1)),
        digest(groups=[0, 0, 1, 2]),
        digest(scale=False),
        digest(task="regression"),
        digest(labels=("a", "b", "a", "b")),
    ]
    assert len(set(variants)) == len(variants)


def test_provenance_is_plain_enough_for_json():
    provenance = from_arrays(np.eye(4), [0, 1, 0, 1], name="mine").provenance.to_dict()
    assert provenance["source"] == "mine"
    assert provenance["rows_read"] == 4
    assert provenance["columns"] == ["x0", "x1", "x2", "x3"]
    assert provenance["task_rule"] == "two values: binary"


def test_rows_are_numbered_from_one():
    assert from_arrays(np.eye(4), [0, 1, 0, 1]).rows.tolist() == [1, 2, 3, 4]


def test_repr_is_one_line():
    assert repr(from_arrays(np.eye(4), [0.5, 1, 2, 3])) == ("Dataset('arrays', regression, 4 examples in 4 groups)")
    assert isinstance(from_arrays(np.eye(4), [0, 1, 0, 1]), Dataset)


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (np.eye(3), {}, "3 rows of features but 4 targets"),
        (np.eye(4), {"groups": [1]}, "4 rows of features but 1 groups"),
        (np.array([["a"]] * 4), {}, "numbers or booleans"),
        (np.zeros((4, 0)), {}, "at least one example with one value"),
        (np.float64(1.0), {}, "at least one example"),
        (np.array([[1.0], [np.nan], [2.0], [np.inf]]), {}, "2 of 4 rows .data rows 2, 4;"),
        ([[1.0], [1.0, 2.0]], {}, "features are not one array"),
        (np.zeros((4, 2, 2)), {"scale": True}, "Only columns"),
        (np.eye(4), {"groups": np.zeros((4, 2))}, r"one label an example, got shape \(4, 2\)"),
        (np.eye(4), {"groups": [0.0, 1.0, np.nan, np.nan]}, "'groups' is missing in 2 of 4 rows .data rows 3, 4;"),
        (np.eye(4), {"groups": np.array(["a", None, "b", "c"], object)}, "'groups' is missing in 1 of 4"),
        (np.eye(4), {"groups": np.array([pd.NA, 1, 2, 3], object)}, "'groups' is missing in 1 of 4"),
        (np.eye(4), {"groups": np.array([[1], 2, 3, 4], object)}, "numbers or text, got lists"),
        (np.eye(4), {"groups": np.array([1j, 2, 3, 4])}, "numbers or text, got complex128"),
    ],
)
def test_arrays_that_cannot_be_used(features, options, message):
    with pytest.raises(InputError, match=message):
        from_arrays(features, [0, 1, 0, 1], **options)


def test_masked_entries_are_refused_with_their_rows():
    features = np.ma.masked_equal([[1.0, 2.0], [3.0, -999.0], [-999.0, -999.0], [4.0, 5.0]], -999)
    with pytest.raises(InputError, match=r"features are masked in 2 of 4 rows \(data rows 2, 3;.*Remove these rows"):
        from_arrays(features, [0, 1, 0, 1])
    masked = np.ma.masked_equal([0, 1, 1, -1], -1)
    for options in ({"targets": masked}, {"targets": [0, 1, 0, 1], "groups": masked}):
        with pytest.raises(InputError, match=r"are masked in 1 of 4 rows \(data rows 4;"):
            from_arrays(np.eye(4), **options)
    assert (
        from_arrays(np.ma.masked_equal(np.eye(4), -999), [0, 1, 0, 1]).features.numeric.tolist() == np.eye(4).tolist()
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_of_any_kind_are_arrays(dtype):
    values = [[0.5, 2], [1, 3], [2, 4], [3, 5.5]]
    features = torch.tensor(values, dtype=dtype, requires_grad=True)
    targets = torch.tensor([0.5, 1, 2, 4], dtype=dtype, requires_grad=True)
    dataset = from_arrays(features, targets, groups=torch.tensor([1, 1, 2, 3]))
    assert dataset.features.numeric.tolist() == values
    assert dataset.targets.tolist() == [0.5, 1, 2, 4]
    assert dataset.groups.tolist() == [0, 0, 1, 2]
    rows = from_arrays([row for row in features], [0, 1, 0, 1])
    assert rows.features.numeric.tolist() == values


def test_a_target_that_is_constant_over_the_population_is_refused():
    dataset = from_arrays(np.eye(5), [3.5, 3.5, 3.5, 1.0, 9.0])
    with pytest.raises(
        InputError, match=r"target 'targets' is 3.5 in all 3 examples of the population.*nothing to learn"
    ):
        dataset.encode_targets(np.array([0, 1, 2]))
    assert np.unique(dataset.encode_targets(np.array([0, 1, 2, 3]))).size == 3


@pytest.mark.parametrize("far", [1e300, 1e40, -1e40])
def test_targets_that_overflow_float32_once_standardised_are_refused(far):
    dataset = from_arrays(np.eye(5), [0.0, 1.0, 2.0, far, 0.5])
    with pytest.raises(InputError, match=r"too far .* in 1 of 5 rows \(data rows 4\).*logarithm"):
        dataset.encode_targets(np.array([0, 1, 2]))
    assert np.isfinite(dataset.encode_targets(np.arange(5)).astype(np.float32)).all()


def test_targets_beyond_float64_once_standardised_are_refused():
    dataset = from_arrays(np.eye(4), [0.0, 1e-300, 2.0, 3.0])
    with pytest.raises(InputError, match=r"in 2 of 4 rows \(data rows 3, 4\)"):
        dataset.encode_targets(np.array([0, 1]))
