"""The report: one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import attacks, provenance, theory, words
from quantleak.report.figures import NARROW, WIDE, leakage_svg
from quantleak.report.points import points_of
from quantleak.report.summary import summary, unresolved
from quantleak.report.template import render
from quantleak.store import write

if TYPE_CHECKING:
    from quantleak.result import AuditResult


def write_report(result: AuditResult, path: str | Path) -> Path:
    """Write the page to `path`, whole or not at all; answers the path.

    Equal results give equal bytes.
    """
    path = Path(path)
    write(path, page(result).encode(errors="replace"))
    return path


def page(result: AuditResult) -> str:
    """The page as HTML5: a function of the result alone, without scripts, without a request to anywhere.

    It opens with the recommendation, the figure and the table; below are all attacks, the rates of the theory, the
    threat model, and where everything comes from. Every text from the data is escaped.
    """
    drawn = points_of(result)
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
        conventions=provenance.conventions(result),
        rates=theory.rate_table(result, "rate", "The privacy score r_Q"),
        cramer=theory.rate_table(result, "cramer", "The Cramér rate"),
        provenance=provenance,
    )
