"""A dry run says what was not plain to see when the data were read."""

from dataclasses import replace

import quantleak as ql
from quantleak.auditing import Settings
from quantleak.auditing.plan import make_plan
from quantleak.requests.describe import describe, description


def test_notes_on_the_data_are_told_before_the_audit() -> None:
    data = ql.bundled("wine")
    data = replace(data, provenance=replace(data.provenance, notes=("column 'dose' was read with decimal commas",)))
    plan = make_plan(data, Settings(model="linear", models=4, epochs=1, trainer="stacked"))
    assert description(plan)["data"]["notes"] == ["column 'dose' was read with decimal commas"]
    assert "Note    column 'dose' was read with decimal commas\n" in describe(plan)
