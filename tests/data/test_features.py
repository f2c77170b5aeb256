import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from quantleak.data.features import Category, Columns, Images, Ready, standardise
from quantleak.errors import InputError


def columns(numeric, texts=()):
    values = tuple(dict.fromkeys(texts))
    codes = np.array([values.index(text) for text in texts], np.int64)
    categories = (Category(name="t", codes=codes, values=values),) if texts else ()
    numeric = np.asarray(numeric, np.float64)
    return Columns(names=tuple("abc"[: numeric.shape[1]]), numeric=numeric, categories=categories)


@given(arrays(np.float64, (12, 3), elements=st.floats(-1e3, 1e3, width=16)), st.integers(1, 12))
def test_numbers_are_standardised_as_scikit_learn_does_on_the_fitted_rows_alone(values, n):
    fit = np.arange(n)
    expected = StandardScaler().fit(values[:n]).transform(values)
    varies = np.ptp(values[:n], axis=0) > 0
    encoded = columns(values).encode(fit)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded[:, varies], expected[:, varies], rtol=1e-4, atol=1e-4)
    assert not encoded[:, ~varies].any()


def test_values_outside_the_fitted_rows_do_not_change_the_scale():
    values = np.arange(10.0)[:, None]
    other = values.copy()
    other[5:] = 1e6
    fit = np.arange(5)
    np.testing.assert_array_equal(columns(values).encode(fit)[:5], columns(other).encode(fit)[:5])


def test_texts_are_one_hot_as_in_scikit_learn_and_unseen_ones_are_zero():
    texts = ["b", "a", "c", "", "a", "b"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, categories=[["b", "a"]])
    expected = encoder.fit([[text] for text in texts[:2]]).transform([[text] for text in texts])
    encoded = columns(np.zeros((6, 0)), texts).encode(np.array([0, 1]))
    np.testing.assert_array_equal(encoded, expected)


def test_numbers_come_before_texts():
    encoded = columns([[1.0], [3.0]], ["x", "y"]).encode(np.array([0, 1]))
    np.testing.assert_array_equal(encoded, [[-1, 1, 0], [1, 0, 1]])


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_scaling_is_right_at_the_far_ends_of_float64(scale):
    values = np.array([[-1.0], [0.0], [1.0]]) * scale
    np.testing.assert_allclose(standardise(values, np.arange(3)).ravel(), [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-12)


def test_a_column_of_equal_numbers_that_no_float_holds_exactly_is_constant():
    values = np.full((1000, 1), 0.1)
    values[-1] = 0.2
    assert not standardise(values, np.arange(999)).any()


def test_a_value_too_far_for_float32_is_refused_by_column():
    with pytest.raises(InputError, match=r"'b'.*too far"):
        columns([[1.0, 1e-300], [2.0, 2e-300], [1.0, 1e300]]).encode(np.array([0, 1]))


def test_scaling_needs_rows():
    with pytest.raises(InputError, match="at least one row"):
        columns([[1.0]]).encode(np.array([], np.int64))


@given(st.lists(st.tuples(st.sampled_from([0.0, -0.0, 1.0]), st.sampled_from("ab")), min_size=1, max_size=8))
def test_row_keys_are_equal_exactly_when_rows_are(rows):
    keys = columns([[number] for number, _ in rows], [text for _, text in rows]).row_keys()
    assert [[a == b for b in rows] for a in rows] == [[a == b for b in keys] for a in keys]


def test_ready_arrays_are_divided_and_ignore_the_fit():
    images = Ready(values=np.array([[[0, 255]], [[51, 0]]], np.uint8), divisor=255.0)
    encoded = images.encode(np.array([0]))
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, [[[0, 1]], [[0.2, 0]]], rtol=1e-6)
    np.testing.assert_array_equal(encoded, images.encode(np.array([1])))


def test_keys_of_ready_rows():
    keys = Ready(values=np.array([[0.0], [-0.0], [1.0]], np.float32)).row_keys()
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("features", [columns([[1.0], [2.0], [3.0]], ["a", "b", "a"]), Ready(values=np.eye(3))])
def test_taking_rows(features):
    taken = features.take(np.array([2, 0]))
    assert len(taken) == 2
    assert taken.row_keys() == [features.row_keys()[2], features.row_keys()[0]]


def test_a_constant_column_of_huge_numbers_becomes_zeros_without_a_warning():
    assert not standardise(np.full((7, 1), 1e300), np.arange(7)).any()


def pixels(n, channels=3, height=4, width=5, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, channels, height, width), dtype=np.uint8)


@pytest.mark.parametrize(("n", "channels"), [(7, 1), (9, 3), (2100, 3)])
def test_images_are_standardised_per_channel_on_the_fitted_rows_alone(n, channels):
    values, fit = pixels(n, channels), np.arange(1, n, 2)
    scaled = values / 255
    mean, std = scaled[fit].mean(axis=(0, 2, 3)), scaled[fit].std(axis=(0, 2, 3))
    encoded = Images(values=values).encode(fit)
    assert (encoded.dtype, encoded.shape) == (np.float32, values.shape)
    np.testing.assert_allclose(encoded, (scaled - mean[:, None, None]) / std[:, None, None], rtol=1e-6, atol=1e-6)


def test_a_channel_that_is_constant_on_the_fitted_rows_becomes_zero():
    values = pixels(6)
    values[:3, 1] = 9
    encoded = Images(values=values).encode(np.arange(3))
    assert not encoded[:, 1].any()
    assert encoded[:, 0].any()
    with pytest.raises(InputError, match="at least one row to be fitted on"):
        Images(values=values).encode(np.zeros(0, np.int64))


def test_images_are_told_apart_and_taken():
    values = pixels(5)
    values[4] = values[1]
    images = Images(values=values)
    keys = images.row_keys()
    assert keys[4] == keys[1]
    assert len(set(keys)) == 4
    np.testing.assert_array_equal(images.take(np.array([3, 0])).values, values[[3, 0]])
    assert images.describe() != Images(values=values.reshape(5, 3, 5, 4)).describe()


def test_encoding_images_holds_little_beside_the_result():
    import tracemalloc

    images = Images(values=pixels(4000, 3, 16, 16))
    tracemalloc.start()
    encoded = images.encode(np.arange(2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * encoded.nbytes
