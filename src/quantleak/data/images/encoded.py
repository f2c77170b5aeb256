"""Images that are found but not yet decoded, whatever kind of source they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """The images of one file of a source.

    Args:
        name: The file's name, for messages.
        encoded: `[n]`, the bytes of each image as PNG, JPEG and the like; None or empty where there are none.
        labels: `[n]`, whole numbers (int64) or texts (object).
        held_out: bool `[n]`, those that are in no model's pool.
    """

    name: str
    encoded: list[bytes | None]
    labels: npt.NDArray[Any]
    held_out: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """All images of a source.

    Args:
        name: A short name of the source.
        batches: Its files.
        image: Name of the column of images.
        label: Name of the column of labels.
        classes: Names of the classes in the order of their numbers, or None.
        sha256: Checksum of the bytes of the files, one after the other; None if there are no files.
        files: Which rows are whose, and which are held out of every model's pool.
        notes: What was not plain to see, a clause each.
    """

    name: str
    batches: tuple[Batch, ...]
    image: str
    label: str
    classes: tuple[str, ...] | None = None
    sha256: str | None = None
    files: str | None = None
    notes: tuple[str, ...] = ()
