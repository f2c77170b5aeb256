"""Images in the Hugging Face layout: a folder of Parquet files, or a data set that `datasets` loads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from quantleak.data.images.encoded import Batch, Encoded
from quantleak.data.images.labels import named_in_folder, named_in_schema, read_labels
from quantleak.data.source import open_source
from quantleak.errors import InputError, nearest

IMAGE_NAMES = ("img", "image")
LABEL_NAMES = ("label", "fine_label")
COARSE = "coarse_label"
HELD_OUT = ("test", "validation", "valid")
"""Splits that can be what is held out, the first that is there."""
FILE = re.compile(r"(train|test|validation|valid)(?:[-_.](.*))?\.parquet", re.IGNORECASE)
SHARD = re.compile(r"(\d+)-of-(\d+)")
LAYOUT = "train*.parquet and test*.parquet (or valid*.parquet)"


def read_parquet_folder(folder: Path) -> Encoded:
    """The images of `train*.parquet` and `test*.parquet` (or `valid*.parquet`), shards in their order.

    Raises:
        InputError: If there is no train file, a shard or a column is missing, or a file is damaged.
    """
    files = _files(folder)
    held_out = _held_out(files)
    image, label, classes = "", "", None
    batches: list[Batch] = []
    checksum = hashlib.sha256()
    for split in ("train", *held_out[:1]):
        for path in files[split]:
            source = open_source(path)
            checksum.update(source.raw)
            if not image:
                schema = _schema(source.raw, source.name)
                image, label = columns(schema, source.name)
                classes = named_in_schema(schema.metadata, label) or named_in_folder(path.parent, label)
            table = _table(source.raw, source.name, image, label)
            batches.append(batch(table, image, label, classes, name=source.name, held_out=split != "train"))
    return Encoded(
        name=folder.resolve().name,
        batches=tuple(batches),
        image=image,
        label=label,
        classes=classes,
        sha256=checksum.hexdigest(),
        files=rows_of_files(batches),
        notes=_unread(held_out),
    )


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of a folder, or else of its folder `data`, where the hub keeps them; sorted."""
    return sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet"))


def columns(schema: pa.Schema, source: str) -> tuple[str, str]:
    """Names of the columns of images and of labels.

    Raises:
        InputError: If there is none or several.
    """
    images = [column.name for column in schema if _holds_images(column.type)]
    whole = [column.name for column in schema if pa.types.is_integer(column.type) and column.name != COARSE]
    image = _chosen(images, IMAGE_NAMES, "images (a struct with `bytes`)", schema, source)
    # A label of a wrong type is to be refused as that, not as missing.
    labels = [name for name in LABEL_NAMES if name in schema.names] or whole
    return image, _chosen(labels, LABEL_NAMES, "labels (whole numbers)", schema, source)


def batch(
    table: pa.Table, image: str, label: str, classes: tuple[str, ...] | None, *, name: str, held_out: bool
) -> Batch:
    """The images and labels of one table.

    Args:
        table: With the column of images, structs that hold `bytes`, and that of labels.
        image: Name of the one.
        label: Name of the other.
        classes: Names of the classes, or None.
        name: What to call it in messages.
        held_out: Whether its images are in no model's pool.
    """
    labels = read_labels(table.column(label), label, name, classes)
    encoded = pc.struct_field(table.column(image), "bytes").to_pylist()
    return Batch(name=name, encoded=encoded, labels=labels, held_out=np.full(len(encoded), held_out))


def rows_of_files(batches: list[Batch]) -> str | None:
    """Which rows of the data set are whose, where there are several files."""
    if len(batches) == 1:
        return None
    starts = np.cumsum([0, *(len(batch.encoded) for batch in batches)])
    told = []
    for held_out in (False, True):
        ours = [number for number, batch in enumerate(batches) if batch.held_out.any() == held_out]
        if ours:
            names = " to ".join(dict.fromkeys(batches[number].name for number in (ours[0], ours[-1])))
            told.append(f"{starts[ours[0]] + 1:,} to {starts[ours[-1] + 1]:,} are {names}")
            told[-1] += ", held out of every model's pool" if held_out else ""
    return "data rows " + "; ".join(told)


def _files(folder: Path) -> dict[str, list[Path]]:
    """The files of each split, in the order of their names."""
    found: dict[str, list[Path]] = {}
    everything = parquet_files(folder)
    for path in everything:
        if match := FILE.fullmatch(path.name):
            found.setdefault(match[1].lower(), []).append(path)
    if "train" not in found:
        names = ", ".join(repr(path.name) for path in everything[:5])
        raise InputError(
            f"{str(folder)!r} has no train*.parquet; it has {names}{', ...' if len(everything) > 5 else ''}. Name its "
            f"files {LAYOUT}."
        )
    for paths in found.values():
        _require_all_shards([path.name for path in paths])
    return found


def _require_all_shards(names: list[str]) -> None:
    shards = [match for name in names if (match := SHARD.search(name))]
    for match in shards:
        there = {int(other[1]) for other in shards if other[2] == match[2]}
        missing = sorted(set(range(int(match[2]))) - there)
        if missing:
            raise InputError(
                f"{match.string!r} is one of {int(match[2])} files of which {len(missing)} are missing, the first with "
                f"number {missing[0]}. Copy them too."
            )


def _held_out(files: Mapping[str, Any]) -> list[str]:
    return [split for split in HELD_OUT if split in files]


def _unread(held_out: list[str]) -> tuple[str, ...]:
    """What was left alone because something else is held out already."""
    return tuple(f"the {split} split was not read: the {held_out[0]} split is held out" for split in held_out[1:])


def _holds_images(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return False
    inner = kind.field("bytes").type
    return bool(pa.types.is_binary(inner) or pa.types.is_large_binary(inner) or pa.types.is_null(inner))


def _chosen(found: list[str], wanted: tuple[str, ...], what: str, schema: pa.Schema, source: str) -> str:
    """The one of the usual name, or the only one."""
    usual = [name for name in wanted if name in found]
    if usual or len(found) == 1:
        return [*usual, *found][0]
    told = f"has several columns of {what}: {', '.join(map(repr, found))}" if found else f"has no column of {what}"
    hint = "" if found else nearest(wanted[0], schema.names)
    known = ", ".join(f"{column.name!r} ({str(column.type)[:40]})" for column in list(schema)[:8])
    raise InputError(f"{source!r} {told}.{hint} Name it '{wanted[-1]}' or '{wanted[0]}'. Its columns: {known}.")


def _schema(raw: bytes, name: str) -> pa.Schema:
    with _reading(name), pa.parquet.ParquetFile(pa.BufferReader(raw)) as file:
        return file.schema_arrow


def _table(raw: bytes, name: str, image: str, label: str) -> pa.Table:
    """The bytes of the images and the labels, and nothing else of the file."""
    schema = _schema(raw, name)
    if not {image, label} <= set(schema.names) or not _holds_images(schema.field(image).type):
        raise InputError(
            f"{name!r} has no columns {image!r} and {label!r} as the first file has; its columns are "
            f"{', '.join(map(repr, schema.names[:8]))}. Give all files the same columns."
        )
    with _reading(name), pa.parquet.ParquetFile(pa.BufferReader(raw)) as file:
        table = file.read(columns=[f"{image}.bytes", label])
        table.validate(full=True)
    if not table.num_rows:
        raise InputError(f"{name!r} has no rows. Give a file with data.")
    return table


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    # Damage raises errors of Arrow, of decoding, of memory and of the operating system.
    except Exception as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{name!r} cannot be read as PARQUET: {told}. Download, copy or save it again.") from error
