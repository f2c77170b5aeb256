"""Specs of optimizers; what a step does is tested with the trainers, against torch's own optimizers."""

from __future__ import annotations

import pytest

from quantleak.errors import InputError
from quantleak.fleet import optimizer


@pytest.mark.parametrize(
    "spec",
    [
        "adam:0.001",
        "sgd:0.1?momentum=0.9",
        "sgd:0.1?momentum=0.9&weight_decay=0.0005",
        "adamw:0.01?weight_decay=0.1",
        "sgd:0.1?momentum=0.9&nesterov=true",
    ],
)
def test_optimizer_specs_round_trip(spec: str) -> None:
    assert optimizer(spec).spec == spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("adma:1e-3", "Did you mean 'adam'"),
        ("adam:fast", "'learning_rate' must be a number, got 'fast'"),
        ("adam:0", "above 0"),
        ("adam:1e-3?momentum=0.9", "adam: unknown option 'momentum=0.9'"),
        ("sgd:0.1?momentun=0.9", "Did you mean 'momentum'"),
        ("sgd:-1", "at least 0"),
        ("sgd:0.1?nesterov=true", "nesterov needs momentum; for example 'sgd:0.1.momentum=0.9&nesterov=true'"),
        ("sgd:0.1?momentum=0.9&nesterov=1", "'nesterov' must be true or false, got '1'"),
        ("adam:0.1?nesterov=true", "adam: unknown option 'nesterov=true'"),
        ("sgd:nan", "at least 0, got nan"),
        ("sgd:1_0", "must be a number, got '1_0'"),
        ("lion:0.1", "Unknown optimizer 'lion'. There are sgd, adam, adamw"),
    ],
)
def test_bad_optimizer_specs_are_explained(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        optimizer(spec)
