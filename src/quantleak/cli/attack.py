"""`quantleak attack`: every attack on an auditor's own scores."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from quantleak.requests.given import read_sets


def attack(
    scores: Path = typer.Argument(
        ...,
        metavar="SCORES.npz",
        help="target, target_member, shadows, shadows_member [, population_target, "
        "population_shadows], all signals phi = ln p - ln(1 - p) of the true label; or scores, member. "
        "Both may have example_id.",
        show_default=False,
    ),
    out: Path = typer.Option(..., help="Folder for the results.", show_default=False),
    more: list[str] = typer.Option([], "--set", help="seed or level, as name=value.", metavar="NAME=VALUE"),
    as_json: bool = typer.Option(False, "--json", help="Print result.json instead of a table."),
) -> None:
    """Run every attack that your own arrays of scores permit.

    LOSS, LiRA and RMIA; or scores of an attack of yours are judged. target [N] or [T, N], shadows [S, N], with a
    true/false array of the same shape for who was trained on what. Without shadows trained on an example only offline
    attacks run.
    """
    given = read_sets(more)

    from quantleak.scores.attack import attack_scores, read_scores_settings

    result = attack_scores(scores, settings=read_scores_settings(given))
    result.save(out)
    report = out / "report.html"
    typer.echo(json.dumps(result.to_dict(), indent=1) if as_json else f"{result}\n\nReport: {report}")
