"""`quantleak audit`: the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from quantleak.requests.given import read_config, read_sets

if TYPE_CHECKING:
    from quantleak.requests.prepare import Prepared


def audit(
    config: Path | None = typer.Argument(None, help="YAML file with any of the names below; flags win over it."),
    data: Path | None = typer.Option(None, help="CSV, Parquet or NPZ file."),
    target: str | None = typer.Option(None, help="Column to predict."),
    smiles: str | None = typer.Option(None, help="Column with SMILES; molecules become Morgan fingerprints."),
    task: str | None = typer.Option(None, help="binary, multiclass or regression; decided from the target otherwise."),
    group: str | None = typer.Option(None, help="Column whose equal values stay together (patients, families)."),
    columns: str | None = typer.Option(None, help="Feature columns, as a,b,c; all others otherwise."),
    images: str | None = typer.Option(
        None,
        help="Folder of images: train.parquet and test.parquet as on the Hugging Face hub, or images with a CSV file "
        "of file,label; or digits, or hf:NAME.",
    ),
    image_size: int | None = typer.Option(None, help="Height and width that images of several sizes are brought to."),
    dataset: str | None = typer.Option(None, help="A bundled data set; see `quantleak list datasets`."),
    out: Path | None = typer.Option(None, help="Folder for the results; an interrupted audit there is continued."),
    model: str | None = typer.Option(None, help="linear, mlp:128, resnet:8, conv:16,32, or package.module:function."),
    quantizer: list[str] = typer.Option([], help="Repeat for several; see `quantleak list quantizers`."),
    models: int | None = typer.Option(None, help="Models to train."),
    epochs: int | None = typer.Option(None, help="Epochs each."),
    optimizer: str | None = typer.Option(None, help="adam:1e-3, adamw:1e-3, sgd:0.1?momentum=0.9."),
    batch: int | None = typer.Option(None, help="Largest minibatch."),
    schedule: str | None = typer.Option(None, help="Of the learning rate: constant or cosine."),
    augment: str | None = typer.Option(None, help="Random changes of training images, such as flip,crop:4."),
    precision: str | None = typer.Option(None, help="Of training: float32, or bfloat16, faster on newer processors."),
    seed: int | None = typer.Option(None, help="The seed of everything."),
    device: str | None = typer.Option(None, help="auto, cpu, cuda:0."),
    utility_loss: float | None = typer.Option(None, help="Utility that may be lost for privacy."),
    risk_limit: float | None = typer.Option(
        None, help="How far above guessing the strongest attack may lie in what is shipped.", show_default="0.09"
    ),
    more: list[str] = typer.Option([], "--set", help="Any other setting, as name=value.", metavar="NAME=VALUE"),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what it would cost in time, memory and disk, and stop."),
    workers: int | None = typer.Option(None, help="Processes; no number depends on it.", show_default="all cores"),
    as_json: bool = typer.Option(False, "--json", help="Print result.json instead of a table."),
    quiet: bool = typer.Option(False, "--quiet", help="No progress."),
) -> None:
    """Train, quantize, attack, and say which quantizer to ship.

    A fleet of your model is trained, every member quantized, scored by theory and attacked with the others.
    """
    flags: dict[str, Any] = {
        "data": data, "target": target, "smiles": smiles, "task": task, "group": group, "columns": columns,
        "images": images, "image_size": image_size, "dataset": dataset, "out": out, "model": model,
        "quantizers": quantizer or None, "models": models, "epochs": epochs, "optimizer": optimizer, "batch": batch,
        "schedule": schedule, "augment": augment, "precision": precision, "seed": seed, "device": device,
        "utility_loss": utility_loss, "risk_limit": risk_limit, "workers": workers,
    }  # fmt: skip
    given = read_config(config) | read_sets(more) | {key: value for key, value in flags.items() if value is not None}

    from quantleak.requests.prepare import prepare

    prepared = prepare(given, out=not dry_run)
    if dry_run:
        _price(prepared, as_json)
        return
    _run(prepared, as_json, quiet)


def _price(prepared: Prepared, as_json: bool) -> None:
    from quantleak.requests.cost import estimate_cost
    from quantleak.requests.describe import describe

    plan = prepared.plan()
    cost = estimate_cost(plan, prepared.request.workers)
    typer.echo(json.dumps(cost.to_dict(), indent=1) if as_json else f"{describe(plan)}\n\n{cost}")


def _run(prepared: Prepared, as_json: bool, quiet: bool) -> None:
    from quantleak.auditing import run
    from quantleak.cli.progress import Progress

    request, out = prepared.request, Path(str(prepared.request.out))
    with Progress(quiet=quiet) as progress:
        result = run.audit(prepared.dataset, request.settings, out=out, workers=request.workers, progress=progress)
    typer.echo(json.dumps(result.to_dict(), indent=1) if as_json else f"{result}\n\nReport: {out / 'report.html'}")
