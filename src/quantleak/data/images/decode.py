"""Turns the bytes of images into pixels of one size and one colour space, and counts every conversion.

Transparent pixels are laid over black. If one image has colour all become RGB; only if all are grey they stay one
channel.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from quantleak.data.checks import list_rows
from quantleak.data.images.encoded import Batch
from quantleak.errors import InputError

Result = TypeVar("Result")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
"""What Pillow decodes by itself; of its other formats some call programs."""
GREY = ("1", "L", "LA")
ALPHA = ("LA", "PA", "RGBA")
PALETTE = ("P", "PA")
COLOUR_SPACES = ("CMYK", "YCbCr", "LAB", "HSV")
MOST_BYTES = 2**32
"""Of all pixels together; as float32 they are four times as large."""
LARGEST_SIZE = 1024
ORIENTATION = 0x0112
FILTER = Image.Resampling.BILINEAR
RESIZED_BY = "bilinear, as Pillow does it: averaged when made smaller"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the header of an image says.

    Args:
        size: Height and width, as it is looked at.
        grey: Whether it has no colour.
        conversions: What has to be done to it besides.
    """

    size: tuple[int, int]
    grey: bool
    conversions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """Pixels of all images.

    Args:
        values: uint8 `[N, C, H, W]`, C is 1 or 3.
        notes: What was converted, a clause each.
    """

    values: npt.NDArray[np.uint8]
    notes: tuple[str, ...]


def decode(batches: tuple[Batch, ...], size: int | None = None) -> Decoded:
    """Decode the images of all files, one after the other.

    Headers are read first: sizes and colours of all images decide what each becomes, and only one array is filled.

    Args:
        batches: The files.
        size: Height and width that all are brought to; None takes images of one size as they are.

    Raises:
        InputError: If images cannot be read, have more than 8 bits a channel or more pixels than Pillow thinks safe,
            are of several sizes and none is requested, or are too large together.
    """
    require_size(size)
    with warnings.catch_warnings():
        # Pillow warns of oddities of a file that it can decode, and of sizes that are most likely an attack.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        looks = [look for batch in batches for look in _each(batch, _look)]
        shape = _shape(looks, size)
        values = np.empty((len(looks), *shape), np.uint8)
        start = 0
        for batch in batches:
            for row, pixels in enumerate(_each(batch, lambda image: _pixels(image, shape))):
                values[start + row] = pixels
            start += len(batch.encoded)
    return Decoded(values=values, notes=_notes(looks, shape))


def require_size(size: int | None) -> None:
    """Refuse a size that no image is brought to."""
    if size is not None and not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"Images are resized to 1 to {LARGEST_SIZE} pixels, got {size}. Try --image-size 32.")


def _each(batch: Batch, of: Callable[[Image.Image], Result]) -> Iterator[Result]:
    """Something of each image of a file; what cannot be read is told together, at the end."""
    bad = np.zeros(len(batch.encoded), bool)
    reason = ""
    for row, raw in enumerate(batch.encoded):
        try:
            found = of(_opened(raw))
        # Damage raises errors of Pillow, of every decoder, of memory and of the operating system.
        except Exception as error:
            reason = reason or _reason(error)
            bad[row] = True
            continue
        yield found
    if bad.any():
        raise InputError(
            f"{batch.name!r} holds images that cannot be read in {list_rows(bad)}; the first: {reason}. "
            "Save these images again, or remove their rows."
        )


def _opened(raw: bytes | None) -> Image.Image:
    if not raw:
        raise InputError("there are no bytes")
    image = Image.open(io.BytesIO(raw), formats=FORMATS)
    # A PNG or TIFF of 16 bits a channel is RGB to Pillow, which would drop the lower 8 without a word.
    if ";16" in str(image.tile) or image.mode not in (*GREY, *ALPHA, *PALETTE, *COLOUR_SPACES, "RGB"):
        raise InputError(f"it has more than 8 bits a channel (mode {image.mode}); save it with 8")
    return image


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}, or damaged"
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"it has more pixels than is safe to decode ({str(error)[:80]})"
    return str(error)[:120] or type(error).__name__


def _look(image: Image.Image) -> Look:
    turned = _turned(image)
    size = (image.width, image.height) if turned >= 5 else (image.height, image.width)
    conversions = []
    if image.mode in PALETTE:
        conversions.append("have a palette and were converted to RGB")
    if _transparent(image):
        conversions.append("have transparency and were laid over black")
    if image.mode in COLOUR_SPACES:
        conversions.append("are in another colour space (such as CMYK) and were converted to RGB")
    if turned > 1:
        conversions.append("were turned upright as their EXIF orientation says")
    return Look(size=size, grey=image.mode in GREY, conversions=tuple(conversions))


def _turned(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8: 1 is upright, from 5 on height and width change places."""
    found = image.getexif().get(ORIENTATION, 1) if "exif" in image.info else 1
    return found if found in range(1, 9) else 1


def _transparent(image: Image.Image) -> bool:
    return image.mode in ALPHA or "transparency" in image.info


def _pixels(image: Image.Image, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """uint8 `[C, H, W]`."""
    channels, height, width = shape
    if _turned(image) > 1:
        image = ImageOps.exif_transpose(image)
    if _transparent(image):
        # Every kind of transparency (a channel, a palette's, one colour) can be written as RGBA.
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA")).convert("RGB")
    image = image.convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), FILTER)
    values = np.asarray(image)
    return values[None] if channels == 1 else values.transpose(2, 0, 1)


def _shape(looks: list[Look], size: int | None) -> tuple[int, int, int]:
    """Channels, height and width of all."""
    sizes = Counter(look.size for look in looks)
    if size is None and len(sizes) > 1:
        told = [f"{height} x {width} ({count:,})" for (height, width), count in sizes.most_common(5)]
        raise InputError(
            f"The images have {len(sizes)} sizes (height x width and how many): {', '.join(told)}"
            f"{', ...' if len(sizes) > 5 else ''}. Give the size that all are brought to: --image-size 32 (in Python: "
            "size=32)."
        )
    channels = 1 if all(look.grey for look in looks) else 3
    height, width = (size, size) if size else next(iter(sizes))
    total = len(looks) * channels * height * width
    if total > MOST_BYTES:
        raise InputError(
            f"{len(looks):,} images of {height} x {width} pixels take {total / 2**30:.0f} GiB, more than the "
            f"{MOST_BYTES / 2**30:.0f} GiB that are held in memory. Give a smaller size: --image-size 64 (in Python: "
            "size=64), or fewer images."
        )
    return channels, height, width


def _notes(looks: list[Look], shape: tuple[int, int, int]) -> tuple[str, ...]:
    channels, height, width = shape
    total = len(looks)
    counted = Counter(conversion for look in looks for conversion in look.conversions)
    if channels == 3:
        counted["are grey and were repeated in three channels"] = sum(look.grey for look in looks)
    counted[f"were resized to {height} x {width} pixels ({RESIZED_BY})"] = sum(
        look.size != (height, width) for look in looks
    )
    return tuple(f"{count:,} of {total:,} images {what}" for what, count in counted.items() if count)
