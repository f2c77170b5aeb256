"""`quantleak reproduce`: a paper's study, its figures and its claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from quantleak.cli.progress import Progress
from quantleak.errors import InputError, nearest

if TYPE_CHECKING:
    from quantleak.studies.common import Study, StudySettings


def reproduce(
    study: str = typer.Argument(
        ..., help="synthetic or vision, or a study that another package offers.", show_default=False
    ),
    preset: str = typer.Option("quick", help="quick (minutes) or paper (full size); vision also has cpu and gpu."),
    out: Path | None = typer.Option(None, help="Folder for the results; an interrupted study there is continued."),
    data_dir: Path | None = typer.Option(
        None, help="Folder of the study's data sets, each a folder of its name (vision)."
    ),
    without: list[str] = typer.Option(
        [],
        help="Leave out a part (synthetic: balanced, discriminators, exact; vision: noise, layers); may be repeated.",
    ),
    set_: list[str] = typer.Option([], "--set", metavar="NAME=VALUE", help="Change a setting; repeat for several."),
    workers: int | None = typer.Option(None, help="Processes; no figure depends on it.", show_default="processors"),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what it would cost, and stop."),
    quiet: bool = typer.Option(False, "--quiet", help="No progress."),
    as_json: bool = typer.Option(False, "--json", help="Print the claims as JSON."),
) -> None:
    """Run a paper's study: its figures and tables, and its claims judged by thresholds written before the run."""
    from quantleak import studies

    chosen = studies.study(study)
    settings = _settings(chosen, preset, without, set_, data_dir)
    if dry_run:
        _price(chosen, settings, workers, as_json)
        return
    if out is None:
        raise InputError(f"reproduce needs a folder: add --out out/{study}.")
    with Progress(quiet=quiet) as progress:
        claims = chosen.reproduce(settings, out, workers, progress)
    if as_json:
        typer.echo(json.dumps(claims, indent=1))
        return
    for claim in claims:
        typer.echo(f"{_mark(claim):<10}  {claim['claim']} {_figures(claim)}")
    typer.echo(f"\n{out / 'index.html'}")


def _settings(
    study: Study[Any, Any], preset: str, without: list[str], changes: list[str], data_dir: Path | None
) -> StudySettings:
    from quantleak.requests.yaml_text import read_yaml

    base: StudySettings = study.settings.preset(preset)
    parts = base.parts
    unknown = [part for part in without if part not in parts]
    if unknown:
        raise InputError(f"--without takes {', '.join(parts)}, got '{unknown[0]}'.{nearest(unknown[0], parts)}")
    if wrong := [change for change in changes if "=" not in change]:
        raise InputError(f"--set takes NAME=VALUE, got '{wrong[0]}'.")
    values = {
        name: read_yaml(value, f"--set {name}") for name, _, value in (change.partition("=") for change in changes)
    }
    if data_dir is not None:
        if not hasattr(base, "data_dir"):
            raise InputError(f"The study '{base.name}' reads no data: leave out --data-dir.")
        values["data_dir"] = str(data_dir)
    left_out = dict.fromkeys(without, False)
    return base.changed(values | left_out)


def _price(study: Study[Any, Any], settings: StudySettings, workers: int | None, as_json: bool) -> None:
    from quantleak.engines import processors

    cost = study.price(settings, workers or processors())
    if as_json:
        plain = {"trainings": cost.trainings, "seconds": cost.seconds, "total": cost.total, "megabytes": cost.megabytes}
        typer.echo(json.dumps(plain, indent=1))
        return
    typer.echo(f"{cost.trainings:,} trainings, about {_duration(cost.total)}, {cost.megabytes:.0f} MB on disk; of it:")
    for stage, seconds in cost.seconds.items():
        typer.echo(f"  {stage:<16}  {_duration(seconds)}")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _mark(claim: dict[str, Any]) -> str:
    return "not judged" if claim["holds"] is None else "holds" if claim["holds"] else "REFUTED"


def _figures(claim: dict[str, Any]) -> str:
    if claim["ours"] is None:
        return ""
    interval = "" if claim["low"] is None else f" [{claim['low']:.3g}, {claim['high']:.3g}]"
    paper = "" if claim["paper"] is None else f"; the paper: {claim['paper']:.3g}"
    return f"({claim['ours']:.3g}{interval}{paper})"
