"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from quantleak.report import words
from quantleak.report.figures.chart import NARROW, WIDE, leakage_svg
from quantleak.report.figures.points import points_of
from quantleak.report.pages.card import card, markdown
from quantleak.report.pages.command import command
from quantleak.report.sections import attacks, classes, exposed, modes, predictive, provenance, roc, statements, theory
from quantleak.report.summary import summary, unresolved
from quantleak.report.template import render
from quantleak.store import write, write_json

if TYPE_CHECKING:
    from quantleak.results import AuditRecord


NONE: Mapping[str, Any] = MappingProxyType({})


def write_report(result: AuditRecord, path: str | Path, *, defaults: Mapping[str, Any] = NONE) -> Path:
    """Write the page to `path`, whole or not at all; answers the path.

    Equal results give equal bytes.
    """
    path = Path(path)
    write(path, page(result, defaults).encode(errors="replace"))
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
        quantizer: Spec of the quantizer that the card is for; None takes the recommended one, or else the original.
        defaults: Default values of settings, which the printed command leaves out.

    Raises:
        InputError: If the audit has no such quantizer; then nothing is written.
    """
    folder, values = Path(folder), card(result, quantizer, defaults)
    write_report(result, folder / "report.html", defaults=defaults)
    write(folder / "privacy-card.md", markdown(values).encode(errors="replace"))
    write_json(folder / "privacy-card.json", values)
    write(folder / "exposed.csv", exposed.csv(result).encode(errors="replace"))


def page(result: AuditRecord, defaults: Mapping[str, Any] = NONE) -> str:
    """The page as HTML5: a function of the result alone, without scripts, without a request to anywhere.

    It opens with the recommendation, the figure and the table; below, folded, are all details, what they mean, and
    where everything comes from. Every text from the data is escaped.
    """
    drawn, curves = points_of(result), roc.panels(result)
    return render(
        "page.html.j2",
        result=result,
        dataset=words.dataset_name(result),
        headline=words.headline(result.recommended),
        trained=words.trained(result),
        confidence=words.confidence(result),
        # Our own drawing: vl-convert escapes the texts in it.
        figures=[(size.name, Markup(leakage_svg(drawn, size))) for size in (WIDE, NARROW)] if drawn.points else [],
        drawn=drawn,
        mark="recommended" if result.recommended.clear else "candidate",
        summary=summary(result),
        unresolved=unresolved(result),
        worst=attacks.worst(result),
        also=attacks.also(result),
        attacks=attacks.attacks(result),
        remarks=attacks.remarks(result),
        predictive=predictive.values(result),
        per_example=predictive.per_example(result),
        conventions=provenance.conventions(result),
        rates=theory.rate_table(result, "rate", "The privacy score r_Q"),
        cramer=theory.rate_table(result, "cramer", "The Cramér rate"),
        stability=theory.stability(result),
        certificates=theory.certificates(result),
        curves=roc.drawings(curves),
        curve_tables=[
            roc.table(curves, "worst", "Members found by the strongest attack, by rate of false alarms"),
            roc.table(curves, "loss", "Members found by LOSS, by rate of false alarms"),
        ],
        modes=modes.table(result),
        modes_drawing=modes.drawing(result),
        classes=classes.table(result),
        classes_remark=classes.remark(result),
        exposed=exposed.table(result),
        meanings=statements.meanings(),
        threat_model=statements.THREAT_MODEL,
        limits=statements.LIMITS,
        command=command(result, defaults),
        provenance=provenance,
    )
