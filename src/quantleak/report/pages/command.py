"""The command that makes a result again, from what the result records."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quantleak.quantizers import BASELINE
from quantleak.report.text import printable

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

BUNDLED = "scikit-learn: "
FLAGS = (
    "model",
    "models",
    "epochs",
    "optimizer",
    "batch",
    "schedule",
    "augment",
    "precision",
    "seed",
    "device",
    "utility_loss",
    "risk_limit",
)
"""Settings with a flag of their own; all others go by `--set`."""


def command(result: AuditRecord, defaults: Mapping[str, Any]) -> str:
    """The audit as one would type it, in the folder of its data; for arrays, which no command can name, as Python.

    Args:
        result: Of an audit.
        defaults: Default values of settings by name; a setting that has its default is left out.
    """
    changed = {name: value for name, value in result.settings.items() if _plain(defaults.get(name)) != value}
    data = _data(result.data)
    if data is None:
        arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        return printable(", ".join(filter(None, ("quantleak.audit(dataset", arguments, "out='DIR')"))))
    words = ["quantleak", "audit", *data]
    for name, value in changed.items():
        if name == "quantizers":
            words += [word for spec in value if spec != BASELINE for word in ("--quantizer", str(spec))]
        elif name in FLAGS:
            words += [f"--{name.replace('_', '-')}", str(value)]
        else:
            items = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            words += ["--set", f"{name}={items}"]
    return printable(shlex.join([*words, "--out", "DIR"]))


def _plain(value: Any) -> Any:
    """A default as `result.json` would hold it."""
    return list(value) if isinstance(value, tuple) else value


def _data(data: dict[str, Any]) -> list[str] | None:
    source = str(data.get("source", ""))
    if source.startswith(BUNDLED):
        return ["--dataset", source.removeprefix(BUNDLED)]
    if data.get("images"):
        size = [] if data.get("image_size") is None else ["--image-size", str(data["image_size"])]
        return ["--images", source, *size]
    if not data.get("sha256"):
        return None
    words = ["--data", source, "--target", str(data.get("target"))]
    for name in ("smiles", "group"):
        words += [f"--{name}", str(data[name])] if data.get(name) else []
    if not (data.get("smiles") or data.get("every_column") or source.lower().endswith(".npz")):
        words += ["--columns", ",".join(map(str, data.get("columns", [])))]
    return words
