"""The record of a tracker as a table, as text, as a page and for a logger."""

from __future__ import annotations

import pytest

from quantleak.errors import InputError
from quantleak.theory import rates
from quantleak.trajectory import TrackedRates

SPECS = ("sign", "uniform:2")
FOUND = rates([[0.0, 1.0, 0.0], [1.0, 1.0, 2.0], [2.0, 1.0, 4.0]])


def record(*specs: str, **found: object) -> TrackedRates:
    return TrackedRates(
        rates=dict.fromkeys(specs, rates([[0.0, 1.0]])) | found, updates=3, n_validation=3, unquantized_dtype="bfloat16"
    )


def test_the_record_as_a_table_text_and_page() -> None:
    found = record(**dict.fromkeys(SPECS, FOUND))
    frame = found.to_frame()
    assert list(frame.columns) == ["quantizer", "metric", "value", "z", "elements", "n_validation", "reason"]
    assert frame[["quantizer", "metric"]].to_numpy().tolist() == [
        [spec, metric] for spec in SPECS for metric in ("r_q", "cramer")
    ]
    assert str(found).count("\n") == 3
    assert "<table" in found._repr_html_()
    assert found.to_dict()["r_q/sign"] == found["sign"].r_q.value
    with pytest.raises(InputError, match="Did you mean 'sign'"):
        found["sing"]


def test_undefined_rates_come_last_and_are_not_logged() -> None:
    found = record("sign", **{"uniform:2": FOUND})
    assert found["sign"].r_q.reason == "undefined: fewer than two distinct elements"
    assert set(found.to_dict()) == {"r_q/uniform:2", "cramer/uniform:2", "z/uniform:2"}
    assert [line.split()[0] for line in str(found).splitlines()[1:3]] == ["uniform:2", "sign"]
    assert "nan" in str(found)
