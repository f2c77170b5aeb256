"""`quantleak validate`: checks a settings file."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from quantleak.requests.given import read_config


def validate(
    config: Path = typer.Argument(..., metavar="CONFIG.yaml", help="Settings file.", show_default=False),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of text."),
) -> None:
    """Check a settings file and its data; all problems at once.

    Settings, data, columns, split, model and device are tried; nothing is trained.
    """
    given = read_config(config)

    from quantleak.requests.describe import describe, description
    from quantleak.requests.prepare import prepare

    plan = prepare(given, out=False).plan()
    if as_json:
        typer.echo(json.dumps({"valid": True, **description(plan)}, indent=1))
    else:
        command = f"quantleak audit {config}" + ("" if given.get("out") else " --out FOLDER")
        typer.echo(f"{config} can be used.\n\n{describe(plan)}\n\nNext: {command}, with --dry-run to price it.")
