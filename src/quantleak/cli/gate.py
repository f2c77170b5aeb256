"""`quantleak gate`: checks a run against limits."""

from __future__ import annotations

import json
from pathlib import Path

import typer


def gate(
    folder: Path = typer.Argument(..., metavar="DIR", help="Folder of a finished run.", show_default=False),
    max_tpr: list[str] = typer.Option(
        [], metavar="FPR:LIMIT", help="Largest true-positive rate at a false-positive rate; repeat for several."
    ),
    max_auc: float | None = typer.Option(None, help="Largest AUC."),
    quantizer: list[str] = typer.Option(
        [],
        help="Which to judge: a spec, a name of the report such as '1 bit', or `recommended`; repeat for several.",
        show_default="all but the original",
    ),
    require_classes: bool = typer.Option(False, help="Fail too where a class has too few examples to be judged."),
    on: str = typer.Option("high", help="Judge the upper limit of the interval (high) or the value."),
    summary: Path | None = typer.Option(None, help="Also write the verdict as Markdown."),
    junit: Path | None = typer.Option(None, help="Also write the verdict as JUnit XML."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of a table."),
) -> None:
    """Hold all attacks of a finished run against limits; 3 if not met.

    The largest figure of all attacks, or its upper limit, decides; so does the worst class.
    A rate that the data cannot support fails with the reason: nothing passes for want of examples.
    """
    from quantleak.gate import files as gate_files
    from quantleak.gate.gating import gate as judge
    from quantleak.gate.limits import Limits
    from quantleak.store import write

    result = judge(folder, Limits.read(max_tpr, max_auc, on=on, quantizers=quantizer, require_classes=require_classes))
    if summary is not None:
        write(summary, gate_files.summary(result).encode(errors="replace"))
    if junit is not None:
        write(junit, gate_files.junit(result))
    typer.echo(json.dumps(result.to_dict(), indent=1) if as_json else str(result))
    if not result.passed:
        raise typer.Exit(3)
