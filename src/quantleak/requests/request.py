"""A request for an audit: settings, where the data are, where the results go; all problems reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, ValidationError

from quantleak import data as sources
from quantleak.auditing import Settings
from quantleak.auditing.settings import explain, read_settings
from quantleak.data import Dataset
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of `quantleak audit`; the names are those of its flags and of the YAML file.

    Attributes:
        settings: What the audit does.
        out: Folder for the results; an interrupted audit there is continued.
        data: CSV, Parquet or NPZ file.
        target: Column to predict.
        smiles: Column with SMILES; molecules become Morgan fingerprints.
        task: `binary`, `multiclass` or `regression`; decided from the target if left out.
        group: Column whose equal values stay together (patients, families).
        columns: Feature columns; all others if left out.
        dataset: A data set by name instead of a file; `quantleak list datasets` shows all.
        workers: Processes; all processors if left out. No number depends on it.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    settings: Settings = field(default_factory=Settings)
    out: Path | None = None
    data: Path | None = None
    target: str | None = None
    smiles: str | None = None
    task: str | None = None
    group: str | None = None
    columns: str | tuple[str, ...] | None = None
    dataset: str | None = None
    workers: Annotated[int, Field(ge=1)] | None = None

    def load(self) -> Dataset:
        """Read the data.

        Raises:
            InputError: None or several sources, or one that cannot be read.
        """
        if (self.data is None) == (self.dataset is None):
            raise InputError(
                "Give either --data FILE --target COLUMN or --dataset NAME; see `quantleak list datasets`."
            )
        if self.data is None or self.dataset is not None:
            given = ("target", "smiles", "task", "group", "columns")
            extra = [f"--{name}" for name in given if getattr(self, name) is not None]
            if extra:
                raise InputError(f"--dataset brings its own columns and task; leave out {', '.join(extra)}.")
            return sources.named(str(self.dataset))
        columns = self.columns.split(",") if isinstance(self.columns, str) else self.columns
        if self.smiles is None:
            return sources.read_table(self.data, self.target, task=self.task, group=self.group, columns=columns)
        if self.target is None or columns is not None:
            raise InputError("With --smiles give --target COLUMN, what the models learn to predict, and no --columns.")
        return sources.read_molecules(self.data, self.smiles, self.target, task=self.task, group=self.group)


REQUEST_FIELDS = tuple(item.name for item in fields(Request) if item.name != "settings")
SOURCE = ("data", "target", "smiles", "task", "group", "columns", "dataset")
"""Those that say where the data are."""


@dataclass(frozen=True, kw_only=True)
class Understood:
    """What of a request can be used.

    Attributes:
        request: With defaults in place of what cannot be used.
        problems: One sentence or more for each value that cannot.
        source: Whether all that was said of the data can be used.
    """

    request: Request
    problems: list[str]
    source: bool


def read_request(given: Mapping[str, Any]) -> Request:
    """A request from names and values, all problems reported at once.

    Raises:
        InputError: Unknown names, values of the wrong type or out of range.
    """
    found = understood(given)
    if found.problems:
        raise InputError("\n".join(found.problems))
    return found.request


def understood(given: Mapping[str, Any]) -> Understood:
    """What of names and values can be used, and every problem with the rest."""
    problems: list[str] = []
    settings = Settings()
    try:
        others = {name: value for name, value in given.items() if name not in REQUEST_FIELDS}
        settings = read_settings(others, also=REQUEST_FIELDS)
    except InputError as error:
        problems += str(error).split("\n")
    mine = {name: value for name, value in given.items() if name in REQUEST_FIELDS}
    broken: set[str] = set()
    try:
        request = TypeAdapter(Request).validate_python({**mine, "settings": settings})
    except ValidationError as error:
        problems += explain(error)
        broken = {str(problem["loc"][0]) for problem in error.errors()}
        usable = {name: value for name, value in mine.items() if name not in broken}
        request = TypeAdapter(Request).validate_python({**usable, "settings": settings})
    return Understood(request=request, problems=problems, source=not broken & set(SOURCE))
