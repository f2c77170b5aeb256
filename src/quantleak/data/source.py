"""Opens a data file if its content is what its name says. Nothing here can run code from a file."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from quantleak.errors import InputError, nearest

Kind = Literal["csv", "parquet", "npz"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".npz": "npz",
}
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")
OFFER = "Data comes as CSV (.csv), Parquet (.parquet) or NumPy arrays (.npz)."
# First bytes of formats that are often met under a wrong name.
MAGIC = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x93NUMPY": "NumPy .npy",
    b"\x89HDF": "HDF5",
    b"ARROW1": "Arrow",
    b"%PDF": "PDF",
    b"\xff\xfe": "UTF-16 text (save it as UTF-8)",
    b"\xfe\xff": "UTF-16 text (save it as UTF-8)",
    b"\xd0\xcf\x11\xe0": "Microsoft Office",
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file of data, read whole.

    Args:
        name: The file's name without its folder.
        kind: What it is, by name and by content.
        raw: Its bytes.
        sha256: Their checksum.
    """

    name: str
    kind: Kind
    raw: bytes = field(repr=False)
    sha256: str


def open_source(path: str | Path) -> Source:
    """Read a file and check that its content is of the kind that its name says.

    Raises:
        InputError: If it is missing, empty, unreadable, a pickle, or of another format than its name or than any
            that is read here.
    """
    path = Path(path)
    try:
        _require_file(path)
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}. Check path and permissions.") from error
    # Linux permits names that are no text; a page or a file of results does not.
    name = path.name.encode(errors="replace").decode()
    return Source(name=name, kind=_kind(path, raw), raw=raw, sha256=hashlib.sha256(raw).hexdigest())


def _require_file(path: Path) -> None:
    if not path.exists():
        others = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"There is no file {str(path)!r}.{nearest(path.name, others)} Check the path.")
    if not path.is_file():
        raise InputError(f"{str(path)!r} is not a file. {OFFER}")


def _kind(path: Path, raw: bytes) -> Kind:
    suffix = path.suffix.lower()
    content = _content(raw)
    if suffix in PICKLE_SUFFIXES or content == "pickle":
        raise InputError(
            f"{path.name!r} is a Python pickle: opening it could run code, so it is refused. "
            "Save the data as CSV or Parquet, or with numpy.savez."
        )
    if not raw:
        raise InputError(f"{path.name!r} is empty. Give a file with data.")
    if suffix not in KINDS:
        raise InputError(f"{path.name!r} ({content} by its content) is not read here. {OFFER} Unpack or convert it.")
    kind = KINDS[suffix]
    if content != {"csv": "text", "parquet": "Parquet", "npz": "NumPy .npz"}[kind]:
        raise InputError(
            f"{path.name!r} is not what its name says: by its content it is {content}. Give it its right name, "
            f"unpack or convert it. {OFFER}"
        )
    return kind


def _content(raw: bytes) -> str:
    # Protocols 2 to 5 of pickle open with these two bytes.
    if raw[:1] == b"\x80" and raw[1:2] in b"\x02\x03\x04\x05":
        return "pickle"
    found = next((name for magic, name in MAGIC.items() if raw.startswith(magic)), None)
    if found == "zip":
        return _zip_content(raw)
    if found == "Parquet" and not raw.endswith(b"PAR1"):
        return "a Parquet file cut short (download or copy it again)"
    if found:
        return found
    return "binary" if b"\0" in raw else "text"


def _zip_content(raw: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    # Beside BadZipFile a damaged directory raises errors of decoding, of seeking and of unknown versions.
    except Exception:
        return "a zip or .npz file cut short (download or copy it again)"
    if any(name.endswith((".pkl", ".pickle")) for name in names):
        return "pickle"
    return "NumPy .npz" if all(name.endswith(".npy") for name in names) else "zip"
