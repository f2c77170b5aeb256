"""Data sets of images: a folder of Parquet files, a folder with a CSV file, the hub, or scikit-learn's digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Images
from quantleak.data.images.decode import FILTER, decode, require_size
from quantleak.data.images.encoded import Encoded
from quantleak.data.images.hub import read_hub
from quantleak.data.images.labels import code_labels
from quantleak.data.images.listed import listings, read_listed
from quantleak.data.images.tables import LAYOUT, parquet_files, read_parquet_folder
from quantleak.errors import InputError, nearest

DIGITS = "digits"
HUB = "hf:"
INK = 16
"""The darkest value of scikit-learn's digits."""
LUMA = np.array([19595, 38470, 7471], np.uint32)
"""65,536 times the weights of red, green and blue in ITU-R 601, rounded as Pillow rounds them."""


def read_images(source: str | Path, *, size: int | None = None) -> Dataset:
    """A data set of images and their classes.

    A train file is the pool; a test or validation file beside it is held out of every model's pool, for validation,
    population and test (see `Dataset.held_out`). Without one, the images are split as any data are. Pixels are
    standardised per channel over the population. Labels are always classes. Grey images among coloured ones become
    RGB, transparency is laid over black; every such conversion is counted in the `notes` of the provenance. Equal
    images share a group.

    Args:
        source: One of

            - a folder of Parquet files in the layout of the Hugging Face hub: `train*.parquet`, and `test*.parquet` or
              `valid*.parquet`, with a column `img` or `image` of structs with `bytes`, and a column `label` or
              `fine_label` of numbers; names of the classes in the files' metadata or in `classes.csv`;
            - a folder of images with a CSV file (or that file) of the columns `file`, `label`, and perhaps `split`
              (train or test);
            - `"digits"`: the 1,797 handwritten digits of scikit-learn, 1 x 8 x 8, a value v of 0 to 16 as
              `(255 v + 8) // 16`;
            - `"hf:NAME"`: what `datasets.load_dataset(NAME)` loads; needs the extra `hf`.
        size: Height and width that all images are brought to, bilinearly; needed where they differ.

    Raises:
        InputError: If there is no such source, or images, labels or columns cannot be used; the message says which
            and what to do.

    Example:
        >>> read_images("digits")
        Dataset('digits', multiclass, 10 classes, 1797 examples in 1797 groups)
    """
    require_size(size)
    if source == DIGITS:
        return _digits(size)
    return _dataset(_found(source), size)


def matching_images(pixels: npt.NDArray[np.uint8], shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """Images brought to the colour and the size of other images, such as public ones to those of a model.

    Equals, image by image, Pillow's `convert("L")` (or `convert("RGB")`) followed by `resize((W, H), BILINEAR)`, which
    averages when it makes smaller.

    Args:
        pixels: uint8 `[N, c, h, w]`, c is 1 (grey) or 3 (RGB).
        shape: C, H and W of the others.

    Returns:
        uint8 `[N, C, H, W]`.

    Raises:
        InputError: If there are other channels than 1 or 3, or no pixels are wanted.

    Example:
        >>> matching_images(np.full((2, 3, 4, 4), 200, np.uint8), (1, 2, 2))[0].tolist()
        [[[200, 200], [200, 200]]]
    """
    channels, height, width = shape
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3) or channels not in (1, 3) or min(height, width) < 1:
        raise InputError(
            f"Images [N, channels, height, width] of 1 or 3 channels can be matched, got {pixels.shape} for {shape}."
        )
    coloured = _recoloured(pixels, channels)
    if coloured.shape[2:] == (height, width):
        return coloured
    matched = np.empty((len(pixels), *shape), np.uint8)
    for image, resized in zip(coloured, matched, strict=True):
        for plane, into in zip(image, resized, strict=True):
            into[...] = np.asarray(Image.fromarray(plane).resize((width, height), FILTER))
    return matched


def _recoloured(pixels: npt.NDArray[np.uint8], channels: int) -> npt.NDArray[np.uint8]:
    if pixels.shape[1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=1)
    grey = np.empty((len(pixels), 1, *pixels.shape[2:]), np.uint8)
    for image, into in zip(pixels, grey, strict=True):
        into[0] = (np.tensordot(LUMA, image.astype(np.uint32), 1) + 0x8000) >> 16
    return grey


def _found(source: str | Path) -> Encoded:
    if isinstance(source, str) and source.startswith(HUB):
        return read_hub(source.removeprefix(HUB))
    path = Path(source)
    if path.is_file():
        if path.suffix.lower() == ".csv":
            return read_listed(path)
        raise InputError(f"{str(path)!r} is a file. Give the folder that holds it: --images {path.parent}")
    if not path.is_dir():
        others = [entry.name for entry in path.parent.iterdir() if entry.is_dir()] if path.parent.is_dir() else []
        hint = nearest(path.name, [*others, DIGITS])
        raise InputError(
            f"There is no folder {str(path)!r}.{hint} Images come from a folder, as hf:NAME from the Hugging Face hub, "
            f"or as {DIGITS}."
        )
    if parquet_files(path):
        return read_parquet_folder(path)
    if listings(path):
        return read_listed(path)
    raise InputError(
        f"{str(path)!r} has neither Parquet nor CSV files. Give a folder with {LAYOUT}, or with images and a CSV file "
        "of the columns file,label."
    )


def _dataset(encoded: Encoded, size: int | None) -> Dataset:
    decoded = decode(encoded.batches, size)
    labels = np.concatenate([batch.labels for batch in encoded.batches])
    held_out = np.concatenate([batch.held_out for batch in encoded.batches])
    if held_out.all():
        raise InputError(f"All images of {encoded.name!r} are held out: no model could train. Mark some as train.")
    targets, unseen = code_labels(labels, encoded.label, encoded.classes)
    provenance = Provenance(
        source=encoded.name,
        rows_read=len(labels),
        target=encoded.label,
        columns=(encoded.image,),
        task_rule=targets.rule,
        sha256=encoded.sha256,
        images=True,
        image_size=size,
        files=encoded.files,
        notes=(*encoded.notes, *unseen, *decoded.notes),
    )
    dataset = assemble(
        encoded.name,
        Images(values=decoded.values),
        targets,
        provenance,
        held_out=held_out if held_out.any() else None,
    )
    return _noting_repeats(dataset)


def _noting_repeats(dataset: Dataset) -> Dataset:
    """The data set, with a note of how many images of the held-out file the train file holds too."""
    if dataset.held_out is None:
        return dataset
    both = np.isin(dataset.groups[dataset.held_out], dataset.groups[~dataset.held_out])
    if not both.any():
        return dataset
    note = f"{both.sum():,} of {len(both):,} held-out images equal one of the pool and were moved to it"
    provenance = replace(dataset.provenance, notes=(*dataset.provenance.notes, note))
    return replace(dataset, provenance=provenance)


def _digits(size: int | None) -> Dataset:
    # Importing scikit-learn takes half a second.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    values = ((bunch.images.astype(np.int64) * 255 + INK // 2) // INK).astype(np.uint8)[:, None]
    notes: tuple[str, ...] = ()
    if size is not None and values.shape[2:] != (size, size):
        values = matching_images(values, (1, size, size))
        notes = (f"{len(values):,} of {len(values):,} images were resized to {size} x {size} pixels (bilinear)",)
    targets, _ = code_labels(bunch.target.astype(np.int64), "target", None)
    provenance = Provenance(
        source=DIGITS,
        rows_read=len(values),
        target="target",
        columns=("image",),
        task_rule=targets.rule,
        images=True,
        image_size=size,
        notes=notes,
    )
    return assemble(DIGITS, Images(values=values), targets, provenance)
