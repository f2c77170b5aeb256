"""Small images, and the files they come in, for the tests."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
from PIL import Image


def random_pixels(*shape: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image | npt.NDArray[np.uint8], kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image, or of pixels `[H, W]` or `[H, W, channels]`."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures(n: int, height: int = 6, width: int = 5, seed: int = 0) -> list[bytes]:
    """PNGs of `random_pixels(n, height, width, 3)`."""
    return [encoded(pixels) for pixels in random_pixels(n, height, width, 3, seed=seed)]


def write_parquet(
    file: Path,
    raws: list[bytes | None],
    labels: list[Any] | pa.Array,
    *,
    image: str = "img",
    label: str = "label",
    names: list[str] | dict[str, str] | None = None,
    **others: Any,
) -> None:
    """A file as the hub has it."""
    structs = pa.array(
        [{"bytes": raw, "path": None} for raw in raws], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    table = pa.table({image: structs, label: labels, **others})
    if names is not None:
        told = {"info": {"features": {image: {"_type": "Image"}, label: {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(told)})
    pyarrow.parquet.write_table(table, file)


def write_listing(folder: Path, raws: list[bytes], labels: list[Any], splits: list[str] | None = None) -> None:
    """A folder of images with a CSV file."""
    lines = ["file,label" + (",split" if splits else "")]
    for number, (raw, label) in enumerate(zip(raws, labels, strict=True)):
        (folder / f"{number}.png").write_bytes(raw)
        lines.append(f"{number}.png,{label}" + (f",{splits[number]}" if splits else ""))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
