"""The page and the text of `quantleak attack`: every attack on user-supplied scores."""

from __future__ import annotations

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, estimate, name
from quantleak.report.section import Page, Section, Terms
from quantleak.report.sections.attacks import BALANCED, conventions, explained, false_positive_rates, measured, measures
from quantleak.report.template import render
from quantleak.report.text import aligned
from quantleak.results import ScoresRecord

EXPLAINED = ("AUC", "TPR at 1% FPR", BALANCED, "MIS bound")
NO_PROOF = (
    "Low figures say that these attacks, with these shadow models, find little; they do not say that no attack would "
    "find more."
)


def page(result: ScoresRecord) -> str:
    """The page as HTML5: a function of the result alone, without scripts, without a request to anywhere."""
    chosen = [attack for attack in result.attacks if attack.convention]
    return render(
        "page.html.j2",
        page=Page(
            headline=headline(result),
            kicker="Membership inference on user-supplied scores",
            source=result.source,
            lead=(),
            sections=(
                Section(
                    title="All attacks",
                    body=(*notes(result), attacks(result), conventions(chosen) if chosen else None),
                    folded=False,
                ),
                Section(
                    title="What the figures mean",
                    body=(Terms(items=tuple(explained(EXPLAINED))), NO_PROOF),
                    folded=False,
                ),
            ),
            footer="All numbers are in result.json beside this file.",
            version=result.versions.get("quantleak", ""),
        ),
    )


def attacks(result: ScoresRecord) -> Table:
    """One row per attack; one that could not run says why."""
    rates = false_positive_rates(result.attacks)
    rows = tuple(
        Row(cells=(name(attack.name), *measured(attack, rates)), reason=attack.reason or "")
        for attack in result.attacks
    )
    return Table(caption="Every attack", columns=(Column(title="Attack", numeric=False), *measures(rates)), rows=rows)


def headline(result: ScoresRecord) -> str:
    """The strongest attack in a sentence or two."""
    worst = result.worst
    if worst.value is None:
        return f"The strongest attack, {worst.name}, has no figure: {worst.reason}."
    chance, form = (0.5, digits.score) if worst.fpr is None else (worst.fpr, digits.percent)
    shown = str(estimate(worst, form))
    found = f"has AUC {shown}; 0.5 is guessing."
    if worst.fpr is not None:
        found = f"finds {shown} of the members at {digits.rate(worst.fpr)} false alarms."
    guessing = worst.low is not None and worst.low <= chance
    return (
        f"The strongest attack, {worst.name}, {found}{' It cannot be distinguished from guessing.' if guessing else ''}"
    )


def text(result: ScoresRecord) -> str:
    """The headline, one line per attack that ran, and the notes; without balanced accuracies, to fit a terminal."""
    table = attacks(result)
    kept = [place for place, column in enumerate(table.columns) if column.title != BALANCED]
    lines = [[str(row.cells[place]) for place in kept] for row in table.rows if not row.reason]
    paragraphs = [headline(result), aligned([table.columns[place].title for place in kept], lines)]
    return "\n\n".join([*paragraphs, "\n".join(notes(result))])


def notes(result: ScoresRecord) -> list[str]:
    """What could not run and why, which rates are not supported, and the remarks."""
    reasons: dict[str, list[str]] = {}
    for attack in result.attacks:
        if attack.reason is not None:
            reasons.setdefault(attack.reason.split(f"{attack.name} ", 1)[-1], []).append(attack.name)
    not_run = [f"Not run: {', '.join(names)}: {reason.rstrip('.')}." for reason, names in reasons.items()]
    missing = {item.reason for attack in result.attacks for item in attack.tpr.values() if item.value is None}
    not_run += [f"{reason}." for reason in sorted(str(reason) for reason in missing)]
    hidden = "rows" if result.n["rows"] == result.n["examples"] else ""
    sizes = ", ".join(f"{name} {count:,}" for name, count in result.n.items() if count and name != hidden)
    return [*not_run, *result.remarks, f"{sizes}; {digits.rate(result.settings['level'])} intervals."]
