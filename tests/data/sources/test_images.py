"""Data sets of images: their split, what is the same in both files, and images made to match others."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits
from tests.data.pictures import encoded, pictures, random_pixels, write_listing, write_parquet

from quantleak.data import matching_images, read_images, split
from quantleak.errors import InputError


def by_hand(raw):
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).transpose(2, 0, 1)


def test_a_train_file_is_the_pool_and_a_test_file_is_held_out(tmp_path):
    train, test = pictures(60), pictures(80, seed=1)
    write_parquet(tmp_path / "train.parquet", train, [0, 1] * 30, names=["cat", "dog"])
    write_parquet(tmp_path / "test.parquet", test, [1, 0] * 40, names=["cat", "dog"])
    data = read_images(tmp_path)
    np.testing.assert_array_equal(data.features.values, [by_hand(raw) for raw in [*train, *test]])
    assert data.targets.tolist() == [0, 1] * 30 + [1, 0] * 40
    assert (data.classes, data.task) == (("cat", "dog"), "binary")
    assert data.rows.tolist() == list(range(1, 141))
    parts = split(data, 0)
    assert parts.pool.tolist() == list(range(60))
    assert [len(part) for part in (parts.validation, parts.population, parts.test)] == [32, 24, 24]
    facts = data.provenance
    assert (facts.rows_read, facts.target, facts.columns, facts.images) == (140, "label", ("img",), True)
    assert facts.task_rule == "labels of images are classes; two values: binary"
    encoded_pixels = data.encode(parts.population)
    assert encoded_pixels[parts.population].mean(axis=(0, 2, 3)) == pytest.approx(np.zeros(3), abs=1e-5)


def test_images_of_both_files_go_to_the_pool_and_are_counted(tmp_path):
    train, test = pictures(60), pictures(80, seed=1)
    # The same pixels in other bytes.
    test[7] = encoded(Image.open(io.BytesIO(train[3])), "BMP")
    test[9] = train[0]
    write_parquet(tmp_path / "train.parquet", train, [0, 1] * 30)
    write_parquet(tmp_path / "test.parquet", test, [1, 0] * 40)
    data = read_images(tmp_path)
    assert split(data, 0).pool.tolist() == [*range(60), 67, 69]
    assert data.provenance.notes[-1] == "2 of 80 held-out images equal one of the pool and were moved to it"
    assert (data.provenance.repeated, data.provenance.conflicts) == (2, 1)


def test_a_train_file_alone_is_split_as_any_data(tmp_path):
    write_parquet(tmp_path / "train.parquet", pictures(100), [0, 1] * 50)
    data = read_images(str(tmp_path))
    assert data.held_out is None
    assert len(split(data, 0).pool) == 50


def test_a_folder_with_a_listing(tmp_path):
    raws = pictures(6)
    write_listing(tmp_path, raws, ["a", "b"] * 3, ["train"] * 4 + ["test"] * 2)
    data = read_images(tmp_path, size=4)
    assert (data.classes, data.features.values.shape) == (("a", "b"), (6, 3, 4, 4))
    assert data.held_out.tolist() == [False] * 4 + [True] * 2
    assert data.provenance.image_size == 4
    write_listing(tmp_path, raws, ["a", "b"] * 3, ["test"] * 6)
    with pytest.raises(InputError, match="All images of .* are held out"):
        read_images(tmp_path)


def test_digits_are_those_of_scikit_learn():
    data = read_images("digits")
    ink = load_digits().images
    assert data.features.values.shape == (1797, 1, 8, 8)
    np.testing.assert_array_equal(np.round(data.features.values[:, 0] / 255 * 16), ink)
    # Rounded to nearest, halves up.
    np.testing.assert_array_equal(data.features.values[:, 0], np.floor(ink * 255 / 16 + 0.5))
    assert data.targets.tolist() == load_digits().target.tolist()
    assert data.classes == tuple("0123456789")
    assert read_images("digits", size=16).features.values.shape == (1797, 1, 16, 16)


@pytest.mark.parametrize(
    ("make", "source", "message"),
    [
        ("", "nowhere", "There is no folder .*nowhere"),
        ("", "digitz", "There is no folder 'digitz'. Did you mean 'digits'"),
        ("empty/", "empty", "neither Parquet nor CSV files"),
        ("train.parquet", "train.parquet", "is a file. Give the folder that holds it: --images "),
    ],
)
def test_sources_that_are_none(tmp_path, make, source, message):
    if make:
        (tmp_path / make).mkdir() if make.endswith("/") else (tmp_path / make).write_text("x")
    with pytest.raises(InputError, match=message):
        read_images(tmp_path / source if make else source)


@given(
    st.integers(1, 4),
    st.sampled_from([1, 3]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.sampled_from([1, 3]), st.integers(1, 12), st.integers(1, 12)),
)
def test_matching_images_are_what_pillow_makes_of_each(n, channels, size, shape):
    pixels = random_pixels(n, channels, *size, seed=n)
    found = matching_images(pixels, shape)
    assert (found.shape, found.dtype) == ((n, *shape), np.uint8)
    for image, made in zip(pixels, found, strict=True):
        picture = Image.fromarray(image[0] if channels == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
        picture = picture.convert("L" if shape[0] == 1 else "RGB")
        picture = picture.resize((shape[2], shape[1]), Image.Resampling.BILINEAR)
        expected = np.asarray(picture)
        np.testing.assert_array_equal(made, expected[None] if shape[0] == 1 else expected.transpose(2, 0, 1))


@pytest.mark.parametrize(("given_shape", "shape"), [((2, 2, 4, 4), (1, 4, 4)), ((2, 3, 4, 4), (2, 4, 4))])
def test_other_channels_cannot_be_matched(given_shape, shape):
    with pytest.raises(InputError, match="1 or 3 channels"):
        matching_images(random_pixels(*given_shape), shape)
