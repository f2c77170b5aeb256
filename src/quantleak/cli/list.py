"""`quantleak list`: the quantizers, data sets and attacks there are."""

from __future__ import annotations

import json
from enum import StrEnum

import typer


class Kind(StrEnum):
    """What can be listed."""

    quantizers = "quantizers"
    datasets = "datasets"
    attacks = "attacks"
    models = "models"


def list_(
    kind: Kind = typer.Argument(..., help="What to list.", show_default=False),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of a table."),
) -> None:
    """List quantizers, data sets, attacks or models to choose from."""
    rows = _ROWS[kind]()
    if as_json:
        typer.echo(json.dumps([{"name": name, "description": text} for name, text in rows], indent=1))
        return
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        typer.echo(f"{name:<{width}}  {text}")


def _quantizers() -> list[tuple[str, str]]:
    from quantleak.ptq import available

    return [(listing.example, listing.description) for listing in available()]


def _datasets() -> list[tuple[str, str]]:
    from quantleak.data import descriptions

    return list(descriptions().items())


def _attacks() -> list[tuple[str, str]]:
    from quantleak.attacks import ATTACKS, installed_attacks

    own = [(attack.name, attack.description) for attack in ATTACKS]
    return own + [(attack.name, attack.description) for attack in installed_attacks()]


def _models() -> list[tuple[str, str]]:
    from quantleak.models import available

    return [(listing.example, listing.description) for listing in available()]


_ROWS = {Kind.quantizers: _quantizers, Kind.datasets: _datasets, Kind.attacks: _attacks, Kind.models: _models}
