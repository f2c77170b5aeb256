"""A folder of images, and a CSV file that says which class each is of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quantleak.data.checks import list_rows
from quantleak.data.images.encoded import Batch, Encoded
from quantleak.data.images.labels import CLASSES_FILE, named_in_folder, read_labels
from quantleak.data.source import open_source
from quantleak.data.tabular.reading import read_arrow
from quantleak.errors import InputError, nearest

FILE_NAMES = ("file", "path", "filename", "file_name", "image")
LABEL, SPLIT = "label", "split"
TRAIN = "train"
SPLITS = (TRAIN, "test", "valid", "validation")


def read_listed(path: Path) -> Encoded:
    """The images that a CSV file lists: columns `file`, `label` and, if it likes, `split` (train or test).

    Args:
        path: The folder, if there is one CSV file in it beside `classes.csv`; or the CSV file, images beside it.

    Raises:
        InputError: If there is no such file or several, a column is missing, or an image is missing or not within the
            folder.
    """
    listing = path if path.is_file() else _listing(path)
    source = open_source(listing)
    table = read_arrow(source)
    name = _column(table, FILE_NAMES, source.name)
    _column(table, (LABEL,), source.name)
    texts = [None if text is None else str(text) for text in table.column(name).to_pylist()]
    files = _within(listing.parent, texts, name, source.name)
    checksum = hashlib.sha256(source.raw)
    encoded: list[bytes | None] = []
    for file in files:
        encoded.append(_bytes(file))
        checksum.update(encoded[-1] or b"")
    classes = named_in_folder(listing.parent, LABEL)
    labels = read_labels(table.column(LABEL), LABEL, source.name, classes, texts=True)
    held_out = _held_out(table, source.name)
    # Names in the place of numbers name themselves.
    classes = classes if labels.dtype.kind == "i" else None
    count = f"{held_out.sum():,} of {len(held_out):,} images are held out of every model's pool (column 'split')"
    return Encoded(
        name=listing.resolve().parent.name if path.is_dir() else listing.name,
        batches=(Batch(name=source.name, encoded=encoded, labels=labels, held_out=held_out),),
        image=name,
        label=LABEL,
        classes=classes,
        sha256=checksum.hexdigest(),
        files=count if held_out.any() else None,
    )


def listings(folder: Path) -> list[Path]:
    """The CSV files of a folder that may list images; sorted."""
    return [path for path in sorted(folder.glob("*.csv")) if path.name != CLASSES_FILE]


def _listing(folder: Path) -> Path:
    found = listings(folder)
    if len(found) != 1:
        names = ", ".join(repr(path.name) for path in found[:5])
        raise InputError(
            f"{str(folder)!r} has {len(found)} CSV files ({names}): which lists the images? Name it: --images "
            f"{found[0]}"
        )
    return found[0]


def _column(table: pa.Table, names: tuple[str, ...], source: str) -> str:
    """The first of some names that is a column."""
    for name in names:
        if name in table.column_names:
            return name
    hint = next(filter(None, (nearest(column, names) for column in table.column_names)), "")
    raise InputError(
        f"{source!r} has no column '{names[0]}'; its columns are {', '.join(map(repr, table.column_names[:10]))}."
        f"{hint} Images are listed with the columns file,label or file,label,split."
    )


def _within(folder: Path, texts: list[str | None], column: str, source: str) -> list[Path]:
    """The files that texts name, all of them in the folder, also where links lead elsewhere."""
    blank = np.array([not (text and text.strip()) for text in texts], bool)
    if blank.any():
        raise InputError(f"Column {column!r} of {source!r} names no file in {list_rows(blank)}. Complete these rows.")
    # Unlike pathlib's, these functions take a name too long and links in a circle for a file that is not there.
    root = Path(os.path.realpath(folder))
    files = [Path(os.path.realpath(folder / str(text))) for text in texts]
    outside = np.array([not file.is_relative_to(root) for file in files], bool)
    if outside.any():
        raise InputError(
            f"Column {column!r} of {source!r} leads out of its folder in {list_rows(outside)}; the first: "
            f"{texts[int(outside.argmax())]!r}. Put all images into the folder of the CSV file and give paths from it."
        )
    missing = np.array([not os.path.isfile(file) for file in files], bool)
    if missing.any():
        first = files[int(missing.argmax())]
        others = [entry.name for entry in first.parent.iterdir()] if first.parent.is_dir() else []
        raise InputError(
            f"Column {column!r} of {source!r} names a file that is not there in {list_rows(missing)}; the first: "
            f"{texts[int(missing.argmax())]!r}.{nearest(first.name, others)} Add these files or remove the rows."
        )
    return files


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be read: {error.strerror}. Check its permissions.") from error


def _held_out(table: pa.Table, source: str) -> npt.NDArray[np.bool_]:
    if SPLIT not in table.column_names:
        return np.zeros(table.num_rows, bool)
    texts = [str(text).strip().lower() for text in table.column(SPLIT).to_pylist()]
    unknown = np.array([text not in SPLITS for text in texts], bool)
    if unknown.any():
        raise InputError(
            f"Column {SPLIT!r} of {source!r} is neither train nor test in {list_rows(unknown)}; the first: "
            f"{texts[int(unknown.argmax())]!r}. Write train or test, or remove the column."
        )
    return np.array([text != TRAIN for text in texts], bool)
