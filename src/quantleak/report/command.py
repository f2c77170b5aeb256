"""The command that makes a result again, from what the result records."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantleak.report.markdown import printable

if TYPE_CHECKING:
    from quantleak.result import AuditResult

BUNDLED = "scikit-learn: "
FLAGS = ("model", "models", "epochs", "optimizer", "batch", "seed", "device", "utility_loss")
"""Settings with a flag of their own; all others go by `--set`."""


def command(result: AuditResult) -> str:
    """The audit as one would type it, in the folder of its data; for arrays, which no command can name, as Python.

    Settings that have their default values are left out.
    """
    changed = dict(_changed(result.settings))
    data = _data(result.data)
    if data is None:
        told = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        return printable(", ".join(filter(None, ("quantleak.audit(dataset", told, "out='DIR')"))))
    words = ["quantleak", "audit", *data]
    for name, value in changed.items():
        if name == "quantizers":
            words += [word for spec in value if spec != "identity" for word in ("--quantizer", str(spec))]
        elif name in FLAGS:
            words += [f"--{name.replace('_', '-')}", str(value)]
        else:
            items = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            words += ["--set", f"{name}={items}"]
    return printable(shlex.join([*words, "--out", "DIR"]))


def _changed(settings: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    from quantleak.auditing.settings import Settings

    defaults = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(Settings()).items()}
    return ((name, value) for name, value in settings.items() if name not in defaults or defaults[name] != value)


def _data(data: dict[str, Any]) -> list[str] | None:
    source = str(data.get("source", ""))
    if source.startswith(BUNDLED):
        return ["--dataset", source.removeprefix(BUNDLED)]
    if not data.get("sha256"):
        return None
    words = ["--data", source, "--target", str(data.get("target"))]
    for name in ("smiles", "group"):
        words += [f"--{name}", str(data[name])] if data.get(name) else []
    columns = [str(column) for column in data.get("columns", [])]
    if not data.get("smiles") and source.rpartition(".")[2].lower() != "npz":
        words += ["--columns", ",".join(columns)]
    return words
