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
        images: Instead of a file, a folder of images (Parquet files in the layout of the Hugging Face hub, or images
            with a CSV file of the columns file,label), `digits`, or `hf:NAME`.
        image_size: Height and width that all images are brought to; needed where they differ.
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
    images: str | None = None
    image_size: Annotated[int, Field(ge=1)] | None = None
    dataset: str | None = None
    workers: Annotated[int, Field(ge=1)] | None = None

    def load(self) -> Dataset:
        """Read the data.

        Raises:
            InputError: None or several sources, or one that cannot be read.
        """
        chosen = [name for name in ("data", "images", "dataset") if getattr(self, name) is not None]
        if len(chosen) != 1:
            seen = f", not {' and '.join(f'--{name}' for name in chosen)} together" if chosen else ""
            raise InputError(
                "Give either --data FILE --target COLUMN or --dataset NAME (see `quantleak list datasets`) or --images "
                f"FOLDER{seen}."
            )
        if self.images is None and self.image_size is not None:
            raise InputError("--image-size is for images; give --images FOLDER, or leave it out.")
        if self.data is None:
            self._refuse_roles(chosen[0])
            if self.images is not None:
                return sources.read_images(self.images, size=self.image_size)
            return sources.named(str(self.dataset))
        columns = self.columns.split(",") if isinstance(self.columns, str) else self.columns
        if self.smiles is None:
            return sources.read_table(self.data, self.target, task=self.task, group=self.group, columns=columns)
        if self.target is None or columns is not None:
            raise InputError("With --smiles give --target COLUMN, what the models learn to predict, and no --columns.")
        return sources.read_molecules(self.data, self.smiles, self.target, task=self.task, group=self.group)

    def _refuse_roles(self, source: str) -> None:
        """Refuse what says which column of a table is what, where the data say it themselves."""
        extra = [f"--{name}" for name in ROLES if getattr(self, name) is not None]
        if extra:
            own = {"dataset": "columns and task", "images": "labels, which are classes"}[source]
            raise InputError(f"--{source} brings its own {own}; leave out {', '.join(extra)}.")


ROLES = ("target", "smiles", "task", "group", "columns")
"""Those that say what the columns of a table are for."""
REQUEST_FIELDS = tuple(item.name for item in fields(Request) if item.name != "settings")
IMAGES_MODEL = "resnet:8"
"""The model of an audit of images that names none."""
SOURCE = ("data", *ROLES, "images", "image_size", "dataset")
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
        if given.get("images") is not None:
            others = {"model": IMAGES_MODEL} | others
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
