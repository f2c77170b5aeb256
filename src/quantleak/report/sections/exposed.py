"""The most exposed examples, by row number only: no feature and no label leaves the data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, value
from quantleak.report.names import ORIGINAL
from quantleak.report.section import Section
from quantleak.report.summary import named

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

SHOWN = 10
"""Examples of each quantizer on the page; `exposed.csv` has more."""

COLUMNS = (
    "quantizer", "row", "flagged_when_member", "models_with_it", "flagged_when_not", "models_without_it",
    "attack", "mode", "fpr",
)  # fmt: skip


LEAD = Markup(
    "Rows of the data, counted from 1 without the header, that give their membership away most. They were found on one "
    "half of the target models; the shares are those of the other half: how often the strongest attack flags a row in "
    "models trained on it, and in models that never saw it. Removed duplicates are as exposed as the row that was "
    "kept. No feature and no label is shown. <code>exposed.csv</code> lists more, for every quantizer."
)
NOTHING = (
    "No example is listed: either no false-positive rate is supported, or no example was flagged more often as a "
    "member than otherwise."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    shown = table(result)
    return Section(title="The most exposed examples", body=(LEAD, shown) if shown else (NOTHING,))


def csv(result: AuditRecord) -> str:
    """All listed examples as CSV; `row` counts the data rows of the source from 1, without the header."""
    names = dict(zip(("found", "members", "alarms", "others"), COLUMNS[2:6], strict=True))
    table = result.exposed.rename(columns=names)
    worst = {row.spec: row.worst for row in result.quantizers}
    for column, attribute in {"attack": "name", "mode": "mode", "fpr": "fpr"}.items():
        table[column] = [getattr(worst[spec], attribute) for spec in table["quantizer"]] if len(table) else []
    return str(table.reindex(columns=list(COLUMNS)).to_csv(index=False, float_format="%.4f", lineterminator="\n"))


def table(result: AuditRecord) -> Table | None:
    """The first rows of the original and of the recommended quantizer; None where no example is listed."""
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Row"),
        Column(title="Flagged when a member"),
        Column(title="Models with it"),
        Column(title="Flagged when not"),
        Column(title="Models without it"),
    )
    rows = []
    for spec in dict.fromkeys((ORIGINAL, result.recommended.quantizer)):
        found = result.exposed[result.exposed["quantizer"] == spec] if len(result.exposed) else result.exposed
        for place, row in enumerate(found[:SHOWN].to_dict("records")):
            cells = (
                named(str(spec)),
                value(int(row["row"]), digits.number),
                value(float(row["found"]), digits.whole_percent),
                value(int(row["members"]), digits.count),
                value(float(row["alarms"]), digits.whole_percent),
                value(int(row["others"]), digits.count),
            )
            rows.append(Row(cells=cells, opens=place == 0))
    if not rows:
        return None
    return Table(caption="Most exposed examples, by row of the data", columns=columns, rows=tuple(rows))
