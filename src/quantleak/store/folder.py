"""The folder of a run: which run it holds, the results of its finished jobs, and whether its files are whole."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from quantleak.errors import InputError
from quantleak.renamed import with_new_names, with_old_names
from quantleak.store.files import checksum, read_arrays, read_json, write_arrays, write_json
from quantleak.store.output import Output

log = logging.getLogger("quantleak")

RESULTS_VERSION = 6
"""Raised by hand whenever the same settings give other numbers."""

OF_SYSTEMS = ("lost+found", ".gitkeep", ".keep", ".gitignore", ".DS_Store", "desktop.ini", "Thumbs.db")
"""What file systems, version control and file managers put into a folder that is otherwise empty."""

Identity = Mapping[str, Any]


def identity_hash(identity: Identity) -> str:
    """SHA-256 of a run's settings, data and seed together with `RESULTS_VERSION`.

    Example:
        >>> identity_hash({"seed": 0}) == identity_hash({"seed": 0})
        True
    """
    text = json.dumps({"results_version": RESULTS_VERSION, **identity}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Folder:
    """A run's folder: `run.json` says which run, `jobs/` holds finished jobs, `manifest.json` the final checksums.

    Used in a `with` block: entering claims the folder for the run, or continues the same run, and keeps other processes
    out until the block is left.

    Args:
        path: The folder.
        identity: Everything that fixes the run's numbers.
        what: What kind of run it is, for messages.

    Raises:
        InputError: On entering: it holds another run or files that are not ours, another process works in it, or it
            cannot be written.
    """

    def __init__(self, path: Path, identity: Identity, what: str = "audit") -> None:
        self.path, self._what = path, what
        self._jobs = path / "jobs"
        # A round trip through JSON, so that what is compared is what a file can hold; NaN and infinity it cannot.
        self.identity: dict[str, Any] = json.loads(json.dumps(dict(identity), allow_nan=False))
        self.id = identity_hash(self.identity)
        self._lock = FileLock(self._jobs / ".lock", timeout=0)

    def __enter__(self) -> Folder:
        """Claim or continue."""
        self._check()
        try:
            self._jobs.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise InputError(f"Another process works in {self.path}. Wait for it, or give another --out.") from None
        except OSError as error:
            raise InputError(f"Cannot write to --out {self.path}: {error.strerror}. Give another folder.") from error
        except NotImplementedError:  # what filelock raises where the file system has no locks
            log.warning("%s cannot be locked: its file system has no locks. Run nothing else in it.", self.path)
        if not (self.path / "run.json").exists():
            write_json(self.path / "run.json", {"id": self.id, **self.identity})
        for left in [*self.path.glob(".*.json.*"), *self._jobs.glob(".*.npz.*")]:
            left.unlink(missing_ok=True)  # written aside by a run that was killed before it could rename them
        return self

    def __exit__(self, *_: object) -> None:
        """Let other processes in."""
        self._lock.release()

    def _check(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"--out {self.path} is a file. Give a folder.")
        if not self.path.exists():
            return
        found = read_run(self.path)
        if found is None:
            # A run that was killed at its very beginning leaves these.
            ours = {"jobs", *OF_SYSTEMS}
            foreign = [name for name in os.listdir(self.path) if name not in ours and not name.startswith(".run.json.")]
            if foreign:
                raise InputError(
                    f"{self.path} holds other files and no {self._what}. Give a new folder: nothing is overwritten."
                )
        elif found.get("id") == identity_hash(with_old_names(self.identity)):
            self.id = found["id"]
        elif found.get("id") != self.id:
            listing = "; ".join(differences(found, self.identity)) or "the version of quantleak that made it"
            raise InputError(
                f"{self.path} holds another {self._what}; nothing was changed. It differs in: {listing}. "
                "Give another --out."
            )

    def finished(self) -> bool:
        """Whether this run's final files are all there and whole."""
        try:
            return verify(self.path) == self.id
        except InputError:
            return False

    def done(self, key: str, kind: type[Output] | None = None) -> bool:
        """Whether a job's result is there and whole; one that is not is removed, so that the job is done again."""
        if not self._path(key).exists():
            return False
        try:
            self.load(key, kind)
        except InputError:
            self._path(key).unlink()
            return False
        return True

    def save(self, key: str, result: Output | tuple[Mapping[str, Any], Any]) -> None:
        """Store a job's result: a record, or arrays by name and a value for JSON."""
        write_arrays(self._path(key), *(result.parts() if isinstance(result, Output) else result))

    def load(self, key: str, kind: type[Output] | None = None) -> Any:
        """A job's result, as a record of this kind, or else arrays by name and a value.

        Raises:
            InputError: If it is damaged, or of another kind.
        """
        arrays, values = read_arrays(self._path(key))
        return (arrays, values) if kind is None else kind.whole(arrays, values)

    def _path(self, key: str) -> Path:
        return self._jobs / f"{key}.npz"


def read_run(path: Path) -> dict[str, Any] | None:
    """What `run.json` says of the run in a folder, settings under their present names; None if there is none.

    Raises:
        InputError: If it is damaged.
    """
    if not (path / "run.json").exists():
        return None
    begun_as: dict[str, Any] = with_new_names(_mapping(path / "run.json"))
    return begun_as


def write_manifest(path: Path, names: list[str], run: str) -> None:
    """Write the checksums of the final files of the run with this id, the last thing that a run writes."""
    write_json(path / "manifest.json", {"id": run, "files": {name: checksum(path / name) for name in names}})


def verify(path: Path, skip: Collection[str] = ()) -> str:
    """Check the final files of a finished run against its manifest; returns the run's id.

    Args:
        path: The run's folder.
        skip: Files that need be neither there nor whole, such as pages that can be written again.

    Raises:
        InputError: If the run is not finished, or a file is missing or was changed.
    """
    if not path.exists():
        raise InputError(f"There is no folder {path}. Check the path.")
    if not (path / "manifest.json").exists():
        raise InputError(
            f"{path} holds no finished audit (no manifest.json). Run the same `quantleak audit` again to finish it."
        )
    manifest = _mapping(path / "manifest.json")
    for name, expected in dict(manifest.get("files", {})).items():
        if name in skip:
            continue
        if not (path / name).exists():
            raise InputError(f"{path / name} is missing. Run the same `quantleak audit` again to write it.")
        if checksum(path / name) != expected:
            raise InputError(
                f"{path / name} is damaged: its checksum is not the one in manifest.json. "
                "Run the same `quantleak audit` again to write it anew; finished parts are kept."
            )
    return str(manifest.get("id"))


def _mapping(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged: it holds no names. Run the audit again into another folder.")
    return found


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The leaves in which two nested mappings differ, as `name: found -> wanted`."""
    lines: list[str] = []
    for key in sorted({*found, *wanted} - {"id"}):
        one, two = found.get(key), wanted.get(key)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            lines += differences(one, two, f"{prefix}{key}.")
        elif one != two:
            lines.append(f"{prefix}{key}: {_short(one)} -> {_short(two)}")
    return lines


def _short(value: Any) -> str:
    """A value as a message shows it: of a SHA-256 the beginning."""
    text = str(value)
    return f"{text[:8]}..." if len(text) == 64 and not text.strip("0123456789abcdef") else text
