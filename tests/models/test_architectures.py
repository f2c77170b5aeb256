"""Architectures: their specs, and one of another package, which is audited like ours."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import quantleak as ql
from quantleak.models import Architecture, available, network, register
from quantleak.models.architectures import ARCHITECTURES, Linear, Perceptron


@given(widths=st.lists(st.integers(1, 5000), min_size=1, max_size=4), bias=st.booleans())
def test_a_perceptron_is_what_its_spec_says(widths: list[int], bias: bool) -> None:
    made = Perceptron(widths=tuple(widths), bias=bias)
    assert made.spec == f"mlp:{','.join(map(str, widths))}" + ("" if bias else "?bias=false")
    assert ARCHITECTURES.read(made.spec) == made


@pytest.mark.parametrize(("spec", "parameters"), [("linear", 10), ("linear?bias=false", 8), ("mlp:3?bias=false", 18)])
def test_parameters_are_counted_by_hand(spec: str, parameters: int) -> None:
    assert network(spec, (4,), 2).start(0).numel() == parameters
    assert Linear(bias=False).spec == "linear?bias=false"


def test_an_architecture_of_another_package_is_found_listed_and_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ARCHITECTURES, "kinds", dict(ARCHITECTURES.kinds))

    @register("own-tanh", example="own-tanh:8")
    @dataclass(frozen=True, kw_only=True)
    class Tanh(Architecture):
        """One hidden layer with tanh."""

        positional = ("width",)
        vectors_only = True
        width: int = 4

        def build(self, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
            return nn.Sequential(nn.Linear(*input_shape, self.width), nn.Tanh(), nn.Linear(self.width, outputs))

    assert ("own-tanh:8", "One hidden layer with tanh.") in [(one.example, one.description) for one in available()]
    result = ql.audit(
        ql.bundled("breast_cancer"), model="own-tanh:3", models=4, epochs=2, quantizers=("sign",), workers=1
    )
    assert result.settings["model"] == "own-tanh:3"
    with pytest.raises(ql.InputError, match="takes vectors, but one example has shape"):
        network("own-tanh", (2, 2), 1)
    with pytest.raises(ql.InputError, match=r"Unknown model 'own-tahn'.*own-tanh.*quantleak list models"):
        network("own-tahn", (2,), 1)
