"""`quantleak report`: the pages of a finished run, written again."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from quantleak.errors import InputError


def report(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of a finished run.", show_default=False),
    quantizer: str | None = typer.Option(None, help="Which quantizer the privacy card is for; else the recommended."),
    as_json: bool = typer.Option(False, "--json", help="Print the names of the pages as JSON."),
) -> None:
    """Write the pages of a finished run again from its files.

    Of `quantleak audit` or `quantleak attack`; nothing is computed, no other file may have been changed.
    """
    written = [str(path) for path in rewrite(folder, quantizer)]
    typer.echo(json.dumps({"pages": written}, indent=1) if as_json else "\n".join(written))


def rewrite(folder: str | Path, quantizer: str | None = None) -> list[Path]:
    """Write the pages of an audit, or of `quantleak attack`, anew and record their hashes; returns what was written.

    Pages may be missing or changed before; every other file is checked against its seal.

    Args:
        folder: Of a finished run.
        quantizer: Which one the privacy card is for; the recommended one, or else the original, if None.

    Raises:
        InputError: A folder without a finished run, a damaged file, an unknown quantizer.
    """
    from quantleak.auditing import AuditResult
    from quantleak.comparison.compare import audited
    from quantleak.results import PAGES, ScoresRecord, opened
    from quantleak.scores.result import ScoresResult

    folder = Path(folder)
    if isinstance(opened(folder), ScoresRecord):
        if quantizer is not None:
            raise InputError("The result of `quantleak attack` has no quantizers; leave out --quantizer.")
        ScoresResult.load(folder).save(folder)
        return [folder / "report.html"]
    result = AuditResult.load(folder)
    result.write_pages(folder, None if quantizer is None else audited(result, quantizer))
    result.save(folder)
    return [folder / name for name in PAGES if (folder / name).exists()]
