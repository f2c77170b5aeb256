"""Which class each image is of: labels of a column, and the names of the classes beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quantleak.data.checks import list_rows
from quantleak.data.source import open_source
from quantleak.data.tabular.reading import read_arrow
from quantleak.data.targets import Targets, Task, is_empty
from quantleak.errors import InputError

CLASSES_FILE = "classes.csv"


def read_labels(
    column: pa.ChunkedArray, name: str, source: str, classes: tuple[str, ...] | None, *, texts: bool = False
) -> npt.NDArray[Any]:
    """Labels `[n]` of one file: int64, or texts (object) where they are permitted.

    Args:
        column: The column.
        name: Its name.
        source: The file's name.
        classes: Names of the classes, beyond whose number no label may lie; or None.
        texts: Whether labels may be the names of the classes themselves.

    Raises:
        InputError: If labels are missing, negative, no whole numbers, or beyond the named classes.
    """
    if texts and (pa.types.is_string(column.type) or pa.types.is_boolean(column.type)):
        values = np.array(column.cast(pa.string()).to_pylist(), object)
        _refuse(np.array([is_empty(value) for value in values.tolist()], bool), "missing", name, source)
        return values
    if not pa.types.is_integer(column.type):
        raise InputError(
            f"The labels {name!r} of {source!r} hold {column.type}, not whole numbers. Number the classes 0, 1, 2, ..."
        )
    missing = column.is_null().to_numpy().astype(bool)
    _refuse(missing, "missing", name, source)
    numbers: npt.NDArray[Any] = column.to_numpy()
    _refuse(numbers < 0, "negative", name, source)
    # The largest of 64 bits without sign do not fit int64.
    most = len(classes) if classes is not None else 2**62
    beyond = numbers >= most
    named = f"beyond the {most} named classes (0 to {most - 1})" if classes is not None else "too large"
    _refuse(beyond, named, name, source)
    return numbers.astype(np.int64)


def _refuse(bad: npt.NDArray[np.bool_], what: str, name: str, source: str) -> None:
    if bad.any():
        raise InputError(f"The label {name!r} of {source!r} is {what} in {list_rows(bad)}. Correct or remove them.")


def code_labels(
    labels: npt.NDArray[Any], name: str, classes: tuple[str, ...] | None
) -> tuple[Targets, tuple[str, ...]]:
    """Class codes for the labels `[N]` of all files, numbered in the sorted order of the labels, and notes.

    Labels of images are always classes; two of them are a binary task. Named classes without an image are left out.

    Raises:
        InputError: If all labels are equal.
    """
    distinct, codes = np.unique(labels, return_inverse=True)
    if len(distinct) < 2:
        raise InputError(
            f"The label {name!r} is {distinct[0]!s} for all {len(labels)} images: there is nothing to learn. Give "
            "images of at least two classes."
        )
    task: Task = "binary" if len(distinct) == 2 else "multiclass"
    names = (
        tuple(map(str, distinct.tolist())) if classes is None else tuple(classes[code] for code in distinct.tolist())
    )
    count = "two" if task == "binary" else f"{len(distinct)}"
    rule = f"labels of images are classes; {count} values: {task}"
    unseen = 0 if classes is None else len(classes) - len(distinct)
    notes = (f"{unseen} of {len(classes or ())} named classes have no image and were left out",) if unseen else ()
    return Targets(task=task, values=codes.astype(np.int64), classes=names, rule=rule), notes


def named_in_schema(metadata: Mapping[bytes, bytes] | None, label: str) -> tuple[str, ...] | None:
    """Names of the classes that Hugging Face's `datasets` wrote into a schema, or None."""
    try:
        names = json.loads((metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
        # Older files have {"0": "airplane", ...}.
        names = [names[str(code)] for code in range(len(names))] if isinstance(names, dict) else names
        return unequal([str(text) for text in names]) or None
    # Any program may write the key; what is not of that form names no classes.
    except (ValueError, KeyError, TypeError):
        return None


def named_in_folder(folder: Path, label: str) -> tuple[str, ...] | None:
    """Names of the classes in `classes.csv`: by number in the column called as the labels, else in their order."""
    if not (folder / CLASSES_FILE).is_file():
        return None
    table = read_arrow(open_source(folder / CLASSES_FILE))
    stem = label.removesuffix("label")
    column = next((name for name in ("name", f"{stem}name", "class") if name in table.column_names), None)
    if column is None:
        raise InputError(
            f"{CLASSES_FILE!r} has no column 'name' with the names of the classes; its columns are "
            f"{', '.join(map(repr, table.column_names))}. Rename one, or remove the file."
        )
    names = [str(text) for text in table.column(column).to_pylist()]
    if label in table.column_names:
        codes = table.column(label).to_pylist()
        if sorted(map(str, codes)) != sorted(map(str, range(len(codes)))):
            raise InputError(f"Column {label!r} of {CLASSES_FILE!r} must number the classes 0 to {len(codes) - 1}.")
        names = [text for _, text in sorted(zip(map(int, codes), names, strict=True))]
    return unequal(names)


def unequal(names: list[str]) -> tuple[str, ...]:
    """The names, with the number behind those that are there twice.

    Example:
        >>> unequal(["crane", "dog", "crane"])
        ('crane (0)', 'dog', 'crane (2)')
    """
    counts = Counter(names)
    return tuple(f"{name} ({code})" if counts[name] > 1 else name for code, name in enumerate(names))
