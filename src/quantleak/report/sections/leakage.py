"""The sections that open the page: leakage against utility as figure and table, and the scores of theory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.figures.leakage import NARROW, WIDE, leakage_svg
from quantleak.report.figures.points import Points, points_of
from quantleak.report.section import Drawing, Figure, Key, Note, Section, with_symbols
from quantleak.report.summary import disagreement, mark, summary, theory, unresolved

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

NOTE = (
    "{trained}. The strongest attack{classes} chosen on one half of the target models and measured on the other. Bits: "
    "per parameter, with biases, norms and scales."
)


THEORY = (
    "r_Q: the score of theory against all attacks; larger is more private. Fidelity: correlation of the quantized "
    "outputs with the original ones; smaller is more private. Distinct models: how many quantized models a training "
    "run passes through; fewer are more private. These scores compare quantizers with each other and say nothing "
    "about how large the leakage is."
)


def section(result: AuditRecord) -> Section:
    """The section; without a utility and a leakage of any quantizer there is no figure."""
    classes = " and the worst class were" if any(row.classes for row in result.quantizers) else " was"
    note = NOTE.format(trained=words.trained(result), classes=classes)
    return Section(
        title="Leakage and utility",
        beside=_figure(result, points_of(result)),
        body=(summary(result), Note(text=note)),
        folded=False,
    )


def theory_section(result: AuditRecord) -> Section:
    """The scores that need no attack, and what of them can be trusted."""
    notes = (unresolved(result), disagreement(result))
    return Section(
        title="What theory says without an attack",
        body=(with_symbols(THEORY), *(with_symbols(note) for note in notes if note), theory(result)),
        folded=False,
    )


def _figure(result: AuditRecord, shown: Points) -> Figure:
    remarks = [] if shown.points else ["There is no figure: no quantizer has both a utility and a leakage."]
    if shown.floor is not None:
        below = f"{shown.utility_title} below {digits.typeset(f'{shown.floor:g}')}"
        remarks.append(f"Triangles at the left edge: {below}; the table has the numbers.")
    if shown.points and shown.missing:
        remarks.append(f"Not drawn, for want of numbers: {', '.join(shown.missing)}.")
    if not shown.points:
        return Figure(drawings=(), remarks=tuple(remarks))
    drawings = tuple(Drawing(svg=leakage_svg(shown, size), style=size.name) for size in (WIDE, NARROW))
    return Figure(drawings=drawings, keys=_keys(result), remarks=tuple(remarks))


def _keys(result: AuditRecord) -> tuple[Key, ...]:
    chosen = result.recommended.quantizer or result.recommended.least_leaking
    ring = [Key(path="M11 1a6 6 0 1 0 .01 0Z", style="chosen", text=mark(result, chosen))] if chosen else []
    return (
        Key(path="M11 2.5a4.5 4.5 0 1 0 .01 0Z", style="quantizer", text="quantizer"),
        Key(path="M11 1.5 15 7l-4 5.5L7 7Z", style="original", text="original"),
        *ring,
        Key(path="M1 7h20", style="front", text="Pareto front"),
        Key(path="M11 1v12M2 7h18", style="bars", text=f"{words.confidence(result)} intervals"),
    )
