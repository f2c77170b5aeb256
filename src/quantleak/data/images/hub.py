"""Images that Hugging Face's `datasets` loads by name."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from quantleak.data.images.encoded import Encoded
from quantleak.data.images.labels import named_in_schema
from quantleak.data.images.tables import HELD_OUT, batch, columns, rows_of_files
from quantleak.errors import InputError


def read_hub(name: str) -> Encoded:
    """The images of `datasets.load_dataset(name)`: its train split, and its test or validation split as held out.

    Args:
        name: A data set of the hub such as `uoft-cs/cifar10`, or a folder that `datasets` can load.

    Raises:
        InputError: If the extra is not installed, the data set cannot be loaded, or it holds no images with labels.
    """
    splits = _load(name)
    if "train" not in splits:
        raise InputError(
            f"'hf:{name}' has no split 'train', but {', '.join(map(repr, splits))}. Choose another data set."
        )
    held_out = [split for split in HELD_OUT if split in splits]
    tables = {split: _arrow(splits[split]) for split in ("train", *held_out[:1])}
    schema = tables["train"].schema
    image, label = columns(schema, f"hf:{name}")
    classes = named_in_schema(schema.metadata, label)
    batches = tuple(
        batch(table, image, label, classes, name=f"hf:{name} ({split})", held_out=split != "train")
        for split, table in tables.items()
    )
    return Encoded(
        name=f"hf:{name}",
        batches=batches,
        image=image,
        label=label,
        classes=classes,
        files=rows_of_files(list(batches)),
    )


def _load(name: str) -> Any:
    try:
        import datasets
    except ImportError as error:
        raise InputError(
            "Loading from the Hugging Face hub needs its library `datasets`. Type: pip install 'quantleak[hf]'. A "
            "folder with the data set's Parquet files needs nothing: --images FOLDER."
        ) from error
    try:
        return datasets.load_dataset(name)
    # Missing data sets, no network, no access and damage: each has errors of its own, of several libraries.
    except Exception as error:
        raise InputError(
            f"'hf:{name}' cannot be loaded: {' '.join(str(error).split())[:200]}. Without a network, type on a machine "
            f"that has one: hf download {name} --repo-type dataset --local-dir FOLDER; bring the folder here and give "
            "--images FOLDER."
        ) from error


def _arrow(split: Any) -> pa.Table:
    """The table of one split, images as bytes, with what `datasets` writes into a schema."""
    table: pa.Table = split.with_format("arrow")[:]
    return table.replace_schema_metadata(split.features.arrow_schema.metadata)
