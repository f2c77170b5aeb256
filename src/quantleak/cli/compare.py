"""`quantleak compare`: two audits, or two quantizers of one, with paired differences."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def compare(
    first: Path = typer.Argument(..., metavar="A", help="Folder of a finished audit.", show_default=False),
    second: Path = typer.Argument(..., metavar="B", help="Another one, or the same.", show_default=False),
    quantizer: str | None = typer.Option(None, help="Only this quantizer.", show_default="all in both"),
    against: str | None = typer.Option(None, help="Compare --quantizer of A with this one of B."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of a table."),
) -> None:
    """Say in which figures audit B differs from A beyond chance.

    Compared are utility, worst leakage, AUC and r_Q of every quantizer.
    Two audits are taken for independent; two quantizers of one audit are compared in pairs.
    """
    from quantleak.comparison.compare import compare_audits

    result = compare_audits(first, second, quantizer=quantizer, against=against)
    typer.echo(json.dumps(result.to_dict(), indent=1) if as_json else str(result))
