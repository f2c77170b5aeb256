"""A settings file to begin with, written from the settings themselves, so that it cannot go stale."""

from __future__ import annotations

import inspect
import re
import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import yaml

from quantleak.auditing import Settings
from quantleak.errors import InputError
from quantleak.requests.request import IMAGES_MODEL, REQUEST_FIELDS, Request, read_request
from quantleak.store import write

WIDTH = 100
DATASET = "breast_cancer"


def write_starter(path: str | Path, given: Mapping[str, str]) -> str:
    """Write a commented YAML file of all settings; returns the command that uses it.

    Args:
        path: Of a file that is not there yet.
        given: Values for `data`, `target`, `dataset`, `out` and the like; the data are opened to see that they can be.

    Raises:
        InputError: The file is there already, or the data cannot be used.
    """
    path = Path(path)
    if path.exists():
        raise InputError(f"{path} is there already, and nothing was changed. Give another name, or delete it first.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} for {path.name}. Make it first.")
    values = dict(given) if {"data", "images", "dataset"} & set(given) else {"dataset": DATASET, **given}
    read_request(values).load()
    values.setdefault("out", f"out/{Path(values.get('data') or _named(values).replace(':', '_')).stem}")
    command = f"quantleak audit {shlex.quote(str(path))}"
    write(path, starter(values, command).encode())
    return command


def _named(values: Mapping[str, str]) -> str:
    return values.get("images") or values["dataset"]


def starter(values: Mapping[str, str], command: str) -> str:
    """The text of the file: what was given and all defaults as settings, what may be left out as comments.

    Args:
        values: Of names of a request.
        command: What the first comment says.
    """
    opening = (
        f"# {command}\n# Flags win over this file: --models 16. Check it: quantleak validate; price it: --dry-run.\n"
    )
    request = [
        _entry(name, remark, values.get(name)) for name, remark in remarks(Request).items() if name in REQUEST_FIELDS
    ]
    other = {"model": IMAGES_MODEL} if values.get("images") else {}
    settings = [_entry(name, remark, other.get(name, default(name))) for name, remark in remarks(Settings).items()]
    return "\n".join([opening, *request, "# --- what the audit does ---\n", *settings])


def remarks(record: type) -> dict[str, str]:
    """What the docstring of a record says of each of its fields.

    Example:
        >>> remarks(Settings)["epochs"]
        'Passes of every model over its members.'
    """
    text = inspect.getdoc(record) or ""
    attributes = re.split(r"\n\S", text.partition("Attributes:\n")[2], maxsplit=1)[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE)
    return {name: " ".join(remark.split()) for name, remark in found}


def default(name: str) -> Any:
    """The default of a setting as YAML can hold it."""
    field = next(field for field in fields(Settings) if field.name == name)
    value = None if field.default is MISSING else field.default
    return list(value) if isinstance(value, tuple) else value


def _entry(name: str, remark: str, value: Any) -> str:
    """A comment and a line; without a value the line is a comment too."""
    comment = textwrap.fill(remark, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    if value is None:
        return f"{comment}\n# {name}:\n"
    if isinstance(value, list):
        return f"{comment}\n{name}: {yaml.safe_dump(value, default_flow_style=True, width=WIDTH)}"
    return f"{comment}\n{yaml.safe_dump({name: value}, default_flow_style=False, width=WIDTH, allow_unicode=True)}"
