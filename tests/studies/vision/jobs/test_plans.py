"""The two plans on a data set: rows and procedures are the same, both fleets have the same members."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.studies.vision.tiny import DATA, Tiny

from quantleak import InputError
from quantleak.models import network
from quantleak.ptq import Noise, procedure
from quantleak.studies.vision.jobs.plans import layers_of, plans


def test_every_row_is_quantized_and_nothing_else_is(tiny: Tiny) -> None:
    specs = [row.spec for row in tiny.ran.plans[DATA].rows]
    assert sorted(specs) == sorted(tiny.plan.procedures)
    assert specs[0] == next(iter(tiny.plan.procedures))


def test_noise_of_every_size_has_a_row(tiny: Tiny) -> None:
    rows = [row for row in tiny.ran.plans[DATA].rows if row.part == "noise"]
    assert {row.option for row in rows} == {"0.125", "0.25", "0.5", "1", "2"}
    for row in rows:
        one = procedure(row.spec)
        assert isinstance(one, Noise)
        assert f"{one.factor:g}" == row.option
        assert (one.quantizer, row.method, row.width) == ("obq:ternary", "obq", "ternary")


def test_both_fleets_are_trained_on_the_same_members(tiny: Tiny) -> None:
    main, small = tiny.plan, tiny.ran.plans[DATA].smaller
    np.testing.assert_array_equal(main.member, small.member)
    np.testing.assert_array_equal(main.parts.pool, small.parts.pool)
    assert np.shares_memory(main.features, small.features)
    assert list(small.procedures) == ["identity"]
    assert (main.network.spec, small.network.spec) == ("conv:6,8", "conv:2")
    assert replace(main.settings, model="conv:2", quantizers=("identity",)) == small.settings


@pytest.mark.parametrize(("spec", "shape"), [("conv:4,8", (1, 8, 8)), ("resnet:8?width=4", (3, 16, 16))])
def test_layers_with_weights_are_all_named_the_head_last(tiny: Tiny, spec: str, shape: tuple[int, ...]) -> None:
    module = network(spec, shape, 10).module(seed=0)
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    expected = [name for name, part in module.named_modules() if isinstance(part, kinds)]
    found = layers_of(replace(tiny.study, network=spec), shape, 10)
    assert sorted(found) == sorted(expected)
    assert isinstance(module.get_submodule(found[-1]), torch.nn.Linear)


def test_a_calibration_set_that_leaves_no_members_is_refused(tiny: Tiny) -> None:
    with pytest.raises(InputError, match="calibration_examples=400 is no part of the .* members"):
        plans(replace(tiny.study, calibration_examples=400), DATA)
