"""Leakage by class: whether members of rare classes are found more often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from quantleak.report import digits, words
from quantleak.report.grid import Cell, Column, Row, Table, between, name, value
from quantleak.report.names import listed
from quantleak.report.section import Section
from quantleak.report.summary import named

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

MOST = 40
"""Classes shown; of more the rarest."""


THRESHOLD = (
    "The attacker has one threshold for all classes; the shares of members found and of false alarms among non-members "
    "are counted within each class, with {confidence} intervals. Their difference is what the attack finds beyond "
    "guessing. A class of fewer than 10 examples is not judged."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    shown = table(result)
    counted = THRESHOLD.format(confidence=words.confidence(result)) if shown else ""
    return Section(title="Leakage by class", body=(f"{remark(result)} {counted}".rstrip(), shown))


def table(result: AuditRecord) -> Table | None:
    """One row per class and quantizer, the classes with fewest examples first; None where there is nothing to show."""
    found = at_headline(result)
    if not len(found):
        return None
    sizes = found.drop_duplicates("class").sort_values("examples", kind="stable")["class"][:MOST]
    columns = (
        Column(title="Class", numeric=False),
        Column(title="Examples of the pool"),
        Column(title="Quantizer", numeric=False),
        Column(title="Members found"),
        Column(title="False alarms"),
        Column(title="Difference"),
    )
    rows = [
        _row(row, first=place == 0)
        for label in sizes
        for place, row in enumerate(found[found["class"] == label].to_dict("records"))
    ]
    caption = "Leakage by class, at one threshold for all classes"
    return Table(caption=caption, columns=columns, rows=tuple(rows), tall=len(rows) > 12)


def _row(row: dict[Any, Any], first: bool) -> Row:
    cells = (
        name(str(row["class"]), "rare" if row["rare"] else ""),
        value(int(row["examples"]), digits.count),
        named(str(row["quantizer"])),
        _share(row, "found"),
        _share(row, "alarms"),
        _excess(row),
    )
    return Row(cells=cells, opens=first)


def _share(row: dict[Any, Any], which: str) -> Cell:
    share = float(row[which])
    if pd.isna(share):
        return Cell(text=digits.MISSING, note="no members" if which == "found" else "no non-members")
    return between(share, float(row[f"{which}_low"]), float(row[f"{which}_high"]), digits.percent)


def _excess(row: dict[Any, Any]) -> Cell:
    if not row["supported"]:
        return Cell(text=digits.MISSING, note="not judged")
    return between(float(row["excess"]), float(row["excess_low"]), float(row["excess_high"]), digits.points)


def at_headline(result: AuditRecord) -> pd.DataFrame:
    """The rows at the false-positive rate of each quantizer's headline."""
    found = result.classes
    if not len(found):
        return found
    headline = {row.spec: row.worst.fpr for row in result.quantizers}
    return found[found["fpr"] == found["quantizer"].map(headline)]


def remark(result: AuditRecord) -> str:
    """Which classes are rare, and whether they leak more than the others in the original model."""
    found = at_headline(result)
    if result.task == "regression":
        return "There are no classes in a regression."
    if not len(found):
        return "Too few examples for a false-positive rate; so few cannot be split by class."
    once = found.drop_duplicates("class")
    rare = [str(label) for label in once["class"][once["rare"].astype(bool)]]
    rule = "A class is called rare if it has less than half of an equal share of the pool"
    if not rare:
        return f"{rule}; none is."
    rarest = listed(rare[:8]) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
    return f"{rule}: here {rarest}."
