"""The examples exposed beyond chance, by row number only: no feature and no label leaves the data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, between, value
from quantleak.report.names import ORIGINAL, full
from quantleak.report.section import Section, Terms
from quantleak.report.summary import named
from quantleak.report.verdict import of_records

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

SHOWN = 10
"""Examples of each quantizer on the page; `exposed.csv` has all."""

NAMES = {
    "found": "flagged_when_member", "found_low": "flagged_when_member_low", "found_high": "flagged_when_member_high",
    "members": "models_with_it",
    "alarms": "flagged_when_not", "alarms_low": "flagged_when_not_low", "alarms_high": "flagged_when_not_high",
    "others": "models_without_it",
}  # fmt: skip
COLUMNS = ("quantizer", "row", *NAMES.values(), "p", "attack", "mode", "fpr")


LEAD = (
    "Rows of the data, counted from 1 without the header, that the strongest attack flags more often in models trained "
    "on them than in models that never saw them, beyond chance: an exact test of each example on the half of the "
    "target models that did not choose the attack, with the false discovery rate at {rate}: at most {rate} of the "
    "listed rows are expected to be there by chance. Removed duplicates are as exposed as the row that was kept. No "
    "feature and no label is shown."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    level = float(result.settings.get("level", 0.95))
    lead = LEAD.format(rate=digits.rate(round(1 - level, 6)))
    shown = table(result)
    more = Markup("<code>exposed.csv</code> lists all, for every quantizer.") if shown else None
    counts = Terms(items=tuple(_counted(result, spec) for spec in specs(result)))
    return Section(title="Examples exposed beyond chance", body=(lead, counts, shown, more))


def specs(result: AuditRecord) -> list[str]:
    """The original, and the quantizer that is recommended or leaks least."""
    shown = (ORIGINAL, result.recommended.least_leaking)
    return [row.spec for row in sorted(result.quantizers, key=lambda row: row.spec != ORIGINAL) if row.spec in shown]


def _counted(result: AuditRecord, spec: str) -> str:
    return f"{full(spec).removeprefix('the ').capitalize()}: {of_records(result[spec].exposure)}"


def csv(result: AuditRecord) -> str:
    """All listed examples as CSV; `row` counts the data rows of the source from 1, without the header."""
    table = result.exposed.rename(columns=NAMES)
    worst = {row.spec: row.worst for row in result.quantizers}
    for column, attribute in {"attack": "name", "mode": "mode", "fpr": "fpr"}.items():
        table[column] = [getattr(worst[spec], attribute) for spec in table["quantizer"]] if len(table) else []
    return str(table.reindex(columns=list(COLUMNS)).to_csv(index=False, float_format="%.4f", lineterminator="\n"))


def table(result: AuditRecord) -> Table | None:
    """The first rows of the original and of the least leaking quantizer; None where no example is listed."""
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Row"),
        Column(title="Flagged when a member"),
        Column(title="Models with it"),
        Column(title="Flagged when not"),
        Column(title="Models without it"),
    )
    rows = []
    for spec in specs(result):
        found = result.exposed[result.exposed["quantizer"] == spec] if len(result.exposed) else result.exposed
        for place, row in enumerate(found[:SHOWN].to_dict("records")):
            cells = (
                named(str(spec)),
                value(int(row["row"]), digits.number),
                between(row["found"], row["found_low"], row["found_high"], digits.whole_percent),
                value(int(row["members"]), digits.count),
                between(row["alarms"], row["alarms_low"], row["alarms_high"], digits.whole_percent),
                value(int(row["others"]), digits.count),
            )
            rows.append(Row(cells=cells, opens=place == 0))
    if not rows:
        return None
    return Table(
        caption="Exposed examples, by row of the data, the most often found first", columns=columns, rows=tuple(rows)
    )
