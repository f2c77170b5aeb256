"""What was read, repeated and noted about the data stands on the page."""

from dataclasses import replace

from quantleak.report.pages.page import page
from quantleak.report.sections.provenance import data


def test_repeated_rows_conflicts_and_notes_are_shown(make) -> None:
    result = make()
    read = {"repeated": 70, "conflicts": 20, "notes": ["column 'dose' was read with decimal commas"]}
    result = replace(result, data=result.data | read)
    facts = data(result)
    assert facts["Repeated rows, kept in one group"] == "70"
    assert facts["Duplicates and repeated rows with another target"] == "20"
    assert facts["Notes on how the data were read"] == "column 'dose' was read with decimal commas"
    shown = page(result, "")
    assert "Repeated rows, kept in one group" in shown
    assert "column &#39;dose&#39; was read with decimal commas" in shown
