"""`quantleak cite`: whom to cite."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def cite(
    folder: Path | None = typer.Argument(
        None, metavar="[DIR]", help="Folder of a finished run: only what it used.", show_default="everything"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of BibTeX."),
) -> None:
    """Print BibTeX of quantleak and of the methods that a run used."""
    from quantleak.auditing.citations import citations

    works = citations(folder)
    typer.echo(json.dumps([work.to_dict() for work in works], indent=1) if as_json else "\n\n".join(map(str, works)))
