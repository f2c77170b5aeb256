"""`quantleak init`: a commented settings file to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer


def init(
    file: Path = typer.Argument(Path("audit.yaml"), help="File to write; it must not be there yet."),
    data: Path | None = typer.Option(None, help="CSV, Parquet or NPZ file."),
    target: str | None = typer.Option(None, help="Column to predict."),
    smiles: str | None = typer.Option(None, help="Column with SMILES."),
    images: str | None = typer.Option(None, help="Folder of images, or `digits`."),
    dataset: str | None = typer.Option(None, help="A data set by name; see `quantleak list datasets`."),
    out: Path | None = typer.Option(None, help="Folder for the results.", show_default="out/NAME"),
    as_json: bool = typer.Option(False, "--json", help="Print the names of file and command as JSON."),
) -> None:
    """Write a settings file with every default and a remark on each."""
    given: dict[str, Any] = {
        "data": data, "target": target, "smiles": smiles, "images": images, "dataset": dataset, "out": out
    }  # fmt: skip

    from quantleak.requests.starter import write_starter

    command = write_starter(file, {name: str(value) for name, value in given.items() if value is not None})
    output = {"file": str(file), "command": command}
    typer.echo(json.dumps(output, indent=1) if as_json else f"Wrote {file}. Edit it, then: {command}")
