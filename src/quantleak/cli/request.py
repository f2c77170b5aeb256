"""What a user asks of an audit: settings, where the data are, where the results go; all problems told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter, ValidationError

from quantleak import data as sources
from quantleak.auditing.settings import Settings, explain, read_settings
from quantleak.data import Dataset
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of `quantleak audit`; the names are those of its flags and of the YAML file.

    Attributes:
        settings: What the audit does.
        out: Folder for the results.
        data: CSV, Parquet or NPZ file.
        target: Column to predict.
        smiles: Column with SMILES.
        task: `binary`, `multiclass` or `regression`; decided from the target if None.
        group: Column whose equal values stay together.
        columns: Feature columns; all others if None.
        dataset: A bundled data set instead of a file.
        workers: Processes; all processors if None.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    settings: Settings = field(default_factory=Settings)
    out: Path
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
            return sources.bundled(str(self.dataset))
        columns = self.columns.split(",") if isinstance(self.columns, str) else self.columns
        if self.smiles is None:
            return sources.read_table(self.data, self.target, task=self.task, group=self.group, columns=columns)
        if self.target is None or columns is not None:
            raise InputError("With --smiles give --target COLUMN, what the models learn to predict, and no --columns.")
        return sources.read_molecules(self.data, self.smiles, self.target, task=self.task, group=self.group)


def read_request(given: Mapping[str, Any]) -> Request:
    """A request from names and values, every problem told at once.

    Raises:
        InputError: Unknown names, values of the wrong type or out of range, or no folder for the results.
    """
    own = {item.name for item in fields(Request)} - {"settings"}
    problems: list[str] = []
    settings = Settings()
    try:
        settings = read_settings({name: value for name, value in given.items() if name not in own}, also=own)
    except InputError as error:
        problems.append(str(error))
    mine = {name: value for name, value in given.items() if name in own}
    if "out" not in mine:
        problems.append("Where should the results go? Give --out FOLDER.")
    try:
        request = TypeAdapter(Request).validate_python({"out": "", **mine, "settings": settings})
    except ValidationError as error:
        raise InputError("\n".join(problems + explain(error))) from error
    if problems:
        raise InputError("\n".join(problems))
    return request
