"""Writes everything that the readers of an audit open."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from quantleak.report.pages.card import card, markdown
from quantleak.report.pages.command import command
from quantleak.report.sections import exposed
from quantleak.store import write, write_json

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

NONE: Mapping[str, Any] = MappingProxyType({})


def write_report(result: AuditRecord, path: str | Path, *, defaults: Mapping[str, Any] = NONE) -> Path:
    """Write the page to `path`, whole or not at all; returns the path.

    Equal results give equal bytes.
    """
    # The figures need Altair, which takes half a second to import; tables do without.
    from quantleak.report.pages.page import page

    path = Path(path)
    write(path, page(result, command(result, defaults)).encode(errors="replace"))
    return path


def write_pages(
    result: AuditRecord,
    folder: str | Path,
    quantizer: str | None = None,
    *,
    defaults: Mapping[str, Any] = NONE,
) -> None:
    """Write `report.html`, `privacy-card.md`, `privacy-card.json` and `exposed.csv` into a folder.

    `result.save(folder)` seals them afterwards. Equal results give equal bytes.

    Args:
        result: Of an audit, fresh or loaded.
        folder: Where to.
        quantizer: Spec of the quantizer that the card is for; None takes the recommended one, or else the least
            leaking one, or else the original.
        defaults: Default values of settings, which the printed command leaves out.

    Raises:
        InputError: If the audit has no such quantizer; then nothing is written.
    """
    folder, values = Path(folder), card(result, quantizer, defaults)
    write_report(result, folder / "report.html", defaults=defaults)
    write(folder / "privacy-card.md", markdown(values).encode(errors="replace"))
    write_json(folder / "privacy-card.json", values)
    write(folder / "exposed.csv", exposed.csv(result).encode(errors="replace"))
