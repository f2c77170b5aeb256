"""A dry run says what was not plain to see when the data were read."""

from dataclasses import replace

import numpy as np

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


def test_examples_for_calibration_are_told_where_there_are_any() -> None:
    plan = make_plan(ql.bundled("wine"), Settings(model="linear", models=4, epochs=1, trainer="stacked"))
    assert "calibration" not in describe(plan)
    apart = replace(plan.parts, validation=plan.parts.validation[5:], calibration=plan.parts.validation[:5])
    assert np.size(apart.calibration) == 5
    assert ", calibration 5\n" in describe(replace(plan, parts=apart))
