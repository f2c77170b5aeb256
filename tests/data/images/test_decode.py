"""Pixels are what Pillow makes of the bytes; what had to be done to them is counted; what is no image is named."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.data.pictures import encoded, pictures, random_pixels

from quantleak.data.images.decode import decode
from quantleak.data.images.encoded import Batch
from quantleak.errors import InputError


def batch(raws, name="train.parquet"):
    labels = np.zeros(len(raws), np.int64)
    return Batch(name=name, encoded=list(raws), labels=labels, held_out=labels > 0)


def decoded(raws, size=None):
    return decode((batch(raws),), size)


def test_lossless_images_come_back_as_they_were():
    pixels = random_pixels(4, 6, 5, 3)
    train, test = batch([encoded(image) for image in pixels[:3]]), batch([encoded(pixels[3], "BMP")], "test.parquet")
    found = decode((train, test))
    np.testing.assert_array_equal(found.values, pixels.transpose(0, 3, 1, 2))
    assert (found.values.dtype, found.notes) == (np.uint8, ())


def test_grey_images_alone_keep_one_channel():
    pixels = random_pixels(3, 4, 4)
    found = decoded([encoded(image) for image in pixels])
    np.testing.assert_array_equal(found.values, pixels[:, None])
    assert found.notes == ()


def test_grey_images_among_coloured_ones_are_repeated_and_counted():
    grey, colour = random_pixels(4, 4), random_pixels(4, 4, 3)
    found = decoded([encoded(grey), encoded(colour), encoded(grey)])
    for channel in range(3):
        np.testing.assert_array_equal(found.values[0, channel], grey)
    np.testing.assert_array_equal(found.values[1], colour.transpose(2, 0, 1))
    assert found.notes == ("2 of 3 images are grey and were repeated in three channels",)


def test_transparent_pixels_are_laid_over_black():
    pixels = random_pixels(5, 5, 4)
    found = decoded([encoded(pixels)])
    share = pixels[..., 3:].astype(float) / 255
    assert np.abs(found.values[0].transpose(1, 2, 0) - pixels[..., :3] * share).max() <= 1
    np.testing.assert_array_equal(found.values[0][:, pixels[..., 3] == 0], 0)
    assert found.notes == ("1 of 1 images have transparency and were laid over black",)


def test_grey_with_transparency_stays_grey():
    pixels = random_pixels(5, 5, 2)
    found = decoded([encoded(Image.fromarray(pixels, "LA"))])
    assert found.values.shape == (1, 1, 5, 5)
    assert np.abs(found.values[0, 0] - pixels[..., 0] * (pixels[..., 1] / 255.0)).max() <= 1


def test_one_colour_of_a_png_may_be_transparent():
    pixels = np.full((2, 2, 3), 9, np.uint8)
    pixels[0, 0] = (1, 2, 3)
    found = decoded([encoded(pixels, transparency=(9, 9, 9))])
    assert found.values[0, :, 0, 0].tolist() == [1, 2, 3]
    assert not found.values[0, :, 1].any()


def test_palettes_become_rgb():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([1, 0])
    found = decoded([encoded(image)])
    assert found.values[0].tolist() == [[[40, 10]], [[50, 20]], [[60, 30]]]
    assert found.notes == ("1 of 1 images have a palette and were converted to RGB",)


def test_other_colour_spaces_become_rgb():
    found = decoded([encoded(Image.new("CMYK", (3, 3), (0, 255, 255, 0)), "TIFF")])
    assert found.values[0, :, 0, 0].tolist() == [255, 0, 0]
    assert found.notes[0].startswith("1 of 1 images are in another colour space")


def test_photographs_are_turned_upright():
    pixels = random_pixels(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decoded([encoded(pixels, "PNG", exif=exif)])
    # Orientation 6: the first row is the right side.
    np.testing.assert_array_equal(found.values[0].transpose(1, 2, 0), np.rot90(pixels, -1))
    assert found.notes == ("1 of 1 images were turned upright as their EXIF orientation says",)


def test_several_sizes_are_told_and_a_size_resizes_all():
    raws = [*pictures(3, 6, 5), *pictures(2, 8, 8), *pictures(1, 4, 4)]
    with pytest.raises(InputError, match=r"3 sizes .*6 x 5 \(3\), 8 x 8 \(2\), 4 x 4 \(1\).*--image-size 32"):
        decoded(raws)
    found = decoded(raws, 4)
    for raw, values in zip(raws, found.values, strict=True):
        expected = Image.open(io.BytesIO(raw)).resize((4, 4), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(values.transpose(1, 2, 0), np.asarray(expected))
    assert len(found.notes) == 1
    assert found.notes[0].startswith("5 of 6 images were resized to 4 x 4 pixels (bilinear")


@pytest.mark.parametrize("size", [0, -3, 5000])
def test_sizes_that_are_none(size):
    with pytest.raises(InputError, match="1 to 1024 pixels"):
        decoded(pictures(1), size)


def broken(raw):
    return {
        "cut short": raw[: len(raw) // 2],
        "no bytes": None,
        "empty": b"",
        "text": b"not an image",
        "a pickle": b"\x80\x04K\x01.",
    }


@pytest.mark.parametrize("kind", list(broken(b"")))
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_what_cannot_be_read_is_named_with_its_rows(kind, form):
    good = [encoded(pixels, form) for pixels in random_pixels(8, 16, 16, 3)]
    bad = broken(good[0])[kind]
    with pytest.raises(InputError, match=r"'train.parquet' holds images.*in 2 of 10 rows \(data rows 4, 10;"):
        decoded([*good[:3], bad, *good[3:], bad])


@given(st.integers(0, 200), st.integers(0, 255), st.integers(0, 200))
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(where, byte, cut):
    raw = bytearray(encoded(random_pixels(6, 6, 3)))
    raw[where % len(raw)] = byte
    try:
        found = decoded([bytes(raw[: max(1, len(raw) - cut)])])
    except InputError:
        return
    assert found.values.dtype == np.uint8


def sixteen_bits(colours):
    """A PNG of 1 x 1 pixels with 16 bits a channel, written by hand: Pillow writes none in colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 0 if colours == 1 else 2, 0, 0, 0)
    body = zlib.compress(b"\0" + b"\x12\x34" * colours)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("raw", [sixteen_bits(1), sixteen_bits(3), encoded(np.ones((2, 2), np.float32), "TIFF")])
def test_more_than_eight_bits_are_refused(raw):
    with pytest.raises(InputError, match=r"in 1 of 1 rows.*more than 8 bits a channel \(mode .*save it with 8"):
        decoded([raw])


@pytest.mark.parametrize("limit", [10, 40])
def test_images_of_too_many_pixels_are_refused(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(InputError, match="more pixels than is safe to decode"):
        decoded([encoded(random_pixels(8, 8, 3))])


def test_too_many_pixels_together_are_refused(monkeypatch):
    monkeypatch.setattr("quantleak.data.images.decode.MOST_BYTES", 200)
    with pytest.raises(InputError, match=r"3 images of 6 x 5 pixels take .*--image-size 64"):
        decoded(pictures(3))


def test_formats_that_call_programs_are_not_opened():
    with pytest.raises(InputError, match="none of PNG, JPEG"):
        decoded([encoded(random_pixels(4, 4, 3), "EPS")])
