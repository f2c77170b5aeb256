"""`quantleak report`: the pages of a finished run, written again."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def report(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of a finished run.", show_default=False),
    quantizer: str | None = typer.Option(None, help="Which quantizer the privacy card is for; else the recommended."),
    as_json: bool = typer.Option(False, "--json", help="Print the names of the pages as JSON."),
) -> None:
    """Write the pages of a finished run again from its files.

    Of `quantleak audit` or `quantleak attack`; nothing is computed, no other file may have been changed.
    """
    from quantleak.auditing.pages import rewrite

    written = [str(path) for path in rewrite(folder, quantizer)]
    typer.echo(json.dumps({"pages": written}, indent=1) if as_json else "\n".join(written))
