"""Every quantizer of the study: written as specs are, each once, and there for what its labels say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from quantleak.ptq import Noise, procedure
from quantleak.studies.vision.jobs import Row, Vision
from quantleak.studies.vision.jobs.rows import rows

LAYERS = ("stem.conv", "0", "blocks.1.conv2", "fc")
PRESETS = tuple(Vision.presets)


@cache
def rows_of(preset: str, **changes: bool) -> list[Row]:
    return rows(replace(Vision.preset(preset), **changes), LAYERS)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_spec_is_there_once_as_procedures_write_it(preset: str) -> None:
    specs = [row.spec for row in rows_of(preset)]
    assert len(set(specs)) == len(specs)
    assert [procedure(spec).spec for spec in specs] == specs
    assert procedure(specs[0]).is_baseline
    assert not any(procedure(spec).is_baseline for spec in specs[1:])


@pytest.mark.parametrize("preset", PRESETS)
def test_labels_are_those_of_the_procedures(preset: str) -> None:
    option = {"head": "head", "layer": "keep", "head alone": "only"}
    for row in rows_of(preset)[1:]:
        one = procedure(row.spec)
        if row.part == "noise":
            assert isinstance(one, Noise)
            assert (one.factor, row.option) == (1.0, "1")
            one = one.wrapped
        assert (one.name, str(one.width)) == (row.method, row.width)
        expected = {"head": "body", "keep": "None", "only": "None"}
        if row.part in option:
            expected[option[row.part]] = row.option
        assert {name: str(getattr(one, name)) for name in expected} == expected


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        # Round-to-nearest at a width of the study is followed already; 8, 6 and, where 3 is no width, 3 come beside it.
        ("quick", {"identity": 1, "width": 12, "head": 8, "followed": 3, "head alone": 1, "layer": 4, "noise": 1}),
        ("cpu", {"identity": 1, "width": 12, "head": 8, "followed": 3, "head alone": 1, "layer": 4, "noise": 1}),
        ("gpu", {"identity": 1, "width": 16, "head": 8, "followed": 2, "head alone": 1, "layer": 4, "noise": 1}),
        ("paper", {"identity": 1, "width": 16, "head": 8, "followed": 2, "head alone": 1, "layer": 4, "noise": 1}),
    ],
)
def test_parts_of_each_preset(preset: str, expected: dict[str, int]) -> None:
    assert Counter(row.part for row in rows_of(preset)) == expected


@pytest.mark.parametrize("part", ["noise", "layers"])
def test_a_part_that_is_left_out_takes_its_rows_and_no_others(part: str) -> None:
    named = {"noise": "noise", "layers": "layer"}[part]
    assert rows_of("quick", **{part: False}) == [row for row in rows_of("quick") if row.part != named]


def test_every_layer_stays_once_and_the_head_alone_is_the_last() -> None:
    found = rows_of("paper")
    assert [row.option for row in found if row.part == "layer"] == list(LAYERS)
    assert [row.option for row in found if row.part == "head alone"] == ["fc"]


def test_noise_is_as_large_as_the_error_of_obq_at_the_smallest_width() -> None:
    (row,) = (row for row in rows_of("paper") if row.part == "noise")
    (obq,) = (row for row in rows_of("paper") if (row.part, row.method, row.width) == ("width", "obq", "ternary"))
    one = procedure(row.spec)
    assert isinstance(one, Noise)
    assert one.quantizer == obq.spec


def test_all_attacks_run_on_what_claims_about_the_worst_attack_are_made_of() -> None:
    whole = {row.part for row in rows_of("quick") if row.whole}
    few = {row.part for row in rows_of("quick") if not row.whole}
    assert whole == {"identity", "width", "head", "followed"}
    assert few == {"head alone", "layer", "noise"}


def test_what_is_followed_has_an_r_q() -> None:
    for preset in PRESETS:
        study = Vision.preset(preset)
        rated = [row for row in rows_of(preset) if row.part in ("width", "followed") and row.method == "rtn"]
        assert {row.width for row in rated} == {*study.widths, *study.followed}
        assert all(procedure(row.spec).no_rate is None for row in rated)
