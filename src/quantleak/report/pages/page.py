"""The page of an audit: one HTML file that needs nothing else, without scripts, without a request to anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import words
from quantleak.report.section import Page
from quantleak.report.sections import (
    attacks,
    classes,
    controls,
    differences,
    exposed,
    leakage,
    modes,
    provenance,
    roc,
    statements,
    theory,
)
from quantleak.report.template import render

if TYPE_CHECKING:
    from quantleak.results import AuditRecord


def page(result: AuditRecord, command: str) -> str:
    """The page as HTML5: a function of the result alone.

    It opens with the recommendation, the figure, the table and what to know before they are trusted; below, folded, are
    all details, what they mean, and where everything comes from. Every text from the data is escaped.

    Args:
        result: Of an audit.
        command: What one types to make the result again.
    """
    questions = (sentence.partition("? ") for sentence in words.advice(result.recommended))
    lead = tuple(Markup("<b>{}?</b> {}").format(question, answer) for question, _, answer in questions)
    sections = (
        leakage.section(result),
        statements.cautions_section(result),
        leakage.theory_section(result),
        differences.section(result),
        roc.section(result),
        modes.section(result),
        classes.section(result),
        exposed.section(result),
        controls.noise_section(result),
        controls.calibration_section(result),
        theory.section(result),
        attacks.section(result),
        statements.meanings_section(),
        statements.threat_model_section(result),
        provenance.data_section(result),
        provenance.run_section(result, command),
    )
    return render(
        "page.html.j2",
        page=Page(
            headline=words.headline(result.recommended),
            kicker="What quantized models reveal about their training data",
            source=words.dataset_name(result),
            lead=lead,
            sections=tuple(one for one in sections if one is not None),
            footer="All numbers are in result.json beside this file; privacy-card.md is for a model card.",
            version=result.versions.get("quantleak", ""),
        ),
    )
