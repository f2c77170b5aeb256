"""Files that are either whole or not there: written aside, renamed, checked when read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from quantleak.errors import InputError

Arrays = Mapping[str, npt.NDArray[Any]]
_META = "__json__"
LOST = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What `fsync` says when the content is lost; all else is that it cannot be done."""


def write(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        OSError: If it cannot be written; the message names the path and says what to do.
    """
    with _aside(path) as file:
        file.write(content)


@contextmanager
def _aside(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path` that takes its place when the block ends, and is gone if the block fails."""
    made: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        made = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            _to_disk(file)
        _share(made)
        os.replace(made, path)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"cannot write {path}: {reason}; free some space there or choose another folder"
        raise OSError(error.errno, message) from error
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _to_disk(file: BinaryIO) -> None:
    """Ask for the file to be on the disk: some file systems cannot, but what they say of a full disk counts."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno in LOST:
            raise


def _share(path: Path) -> None:
    """Give a file the permissions of any other new file; mkstemp makes it private, and some file systems keep it so."""
    umask = os.umask(0)
    os.umask(umask)
    with suppress(OSError):
        os.chmod(path, 0o666 & ~umask)


def write_json(path: Path, value: Any) -> None:
    """Write JSON without NaN or infinity (those have no JSON form; put null and a reason)."""
    write(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file of ours.

    Raises:
        InputError: If it is missing, or damaged.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"There is no {path}. Give the folder that `quantleak audit --out` wrote.") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}. Run the audit again into another folder.") from None


def write_arrays(path: Path, arrays: Arrays, meta: Any) -> None:
    """Write arrays and a JSON value as one NPZ file; its ZIP checksums guard every byte.

    Raises:
        OSError: As `write`.
    """
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    with _aside(path) as file:
        _save_npz(file, {**arrays, _META: text})


def _save_npz(file: BinaryIO, arrays: Arrays) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], Any]:
    """Read what :func:`write_arrays` wrote.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        # NumPy leaves a file that it opened itself open when the archive is damaged.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(_META).tobytes())
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged: {error}. Delete it; only this part is computed again.") from error
    return arrays, meta


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
