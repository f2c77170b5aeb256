"""`quantleak audit`: the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from quantleak.errors import InputError


def audit(
    config: Path | None = typer.Argument(None, help="YAML file with any of the names below; flags win over it."),
    data: Path | None = typer.Option(None, help="CSV, Parquet or NPZ file."),
    target: str | None = typer.Option(None, help="Column to predict."),
    smiles: str | None = typer.Option(None, help="Column with SMILES; molecules become Morgan fingerprints."),
    task: str | None = typer.Option(None, help="binary, multiclass or regression; decided from the target otherwise."),
    group: str | None = typer.Option(None, help="Column whose equal values stay together (patients, families)."),
    columns: str | None = typer.Option(None, help="Feature columns, as a,b,c; all others otherwise."),
    dataset: str | None = typer.Option(None, help="A bundled data set; see `quantleak list datasets`."),
    out: Path | None = typer.Option(None, help="Folder for the results; an interrupted audit there is continued."),
    model: str | None = typer.Option(None, help="linear, mlp:128, or package.module:function."),
    quantizer: list[str] = typer.Option([], help="Repeat for several; see `quantleak list quantizers`."),
    models: int | None = typer.Option(None, help="Models to train."),
    epochs: int | None = typer.Option(None, help="Epochs each."),
    optimizer: str | None = typer.Option(None, help="adam:1e-3, adamw:1e-3, sgd:0.1?momentum=0.9."),
    batch: int | None = typer.Option(None, help="Largest minibatch."),
    seed: int | None = typer.Option(None, help="The seed of everything."),
    device: str | None = typer.Option(None, help="auto, cpu, cuda:0."),
    utility_loss: float | None = typer.Option(None, help="Utility that may be lost for privacy."),
    more: list[str] = typer.Option([], "--set", help="Any other setting, as name=value.", metavar="NAME=VALUE"),
    workers: int | None = typer.Option(None, help="Processes; no number depends on it.", show_default="all cores"),
    as_json: bool = typer.Option(False, "--json", help="Print result.json instead of a table."),
    quiet: bool = typer.Option(False, "--quiet", help="No progress."),
) -> None:
    """Train a fleet, quantize it, score it by theory, attack it, and say which quantizer to ship.

    Examples:
        quantleak audit --dataset breast_cancer --out out/breast_cancer

        quantleak audit --data AMES.csv --smiles Drug --target Y --models 32 --epochs 60 --out out/ames
    """
    flags: dict[str, Any] = {
        "data": data, "target": target, "smiles": smiles, "task": task, "group": group, "dataset": dataset,
        "columns": columns, "out": out, "model": model, "quantizers": quantizer or None, "models": models,
        "epochs": epochs, "optimizer": optimizer, "batch": batch, "seed": seed, "device": device,
        "utility_loss": utility_loss, "workers": workers,
    }  # fmt: skip
    given = read_config(config) | read_sets(more) | {key: value for key, value in flags.items() if value is not None}

    from quantleak.auditing import run
    from quantleak.cli.progress import Progress
    from quantleak.cli.request import read_request

    request = read_request(given)
    with Progress(quiet=quiet) as progress:
        result = run.audit(
            request.load(), request.settings, out=request.out, workers=request.workers, progress=progress
        )
    report = request.out / "report.html"
    typer.echo(json.dumps(result.to_dict(), indent=1) if as_json else f"{result}\n\nReport: {report}")


def read_config(path: Path | None) -> dict[str, Any]:
    """The names and values of a YAML file; none without a file.

    Raises:
        InputError: A file that cannot be read, is not YAML, or holds anything but names with values.
    """
    if path is None:
        return {}
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise InputError(f"Cannot read the settings file {path}: {error.strerror}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InputError(f"{path} must hold lines such as `models: 64`, got {type(content).__name__}.")
    return content


def read_sets(texts: list[str]) -> dict[str, Any]:
    """The names and values of `--set name=value`.

    Raises:
        InputError: A text without `=`.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set takes name=value, got '{text}'. Example: --set biases=float16")
        values[name.strip()] = value.strip()
    return values
