from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantleak import plugins
from quantleak.errors import InputError
from quantleak.quantizers import (
    PAPER_A,
    Identity,
    Quantizer,
    Sign,
    Ternary,
    Uniform,
    available,
    quantizer,
    register,
    registry,
)

uniforms = st.builds(Uniform, bits=st.integers(1, 16), saturate=st.booleans(), axis=st.none() | st.integers(-3, 3))
ternaries = st.builds(Ternary, share=st.floats(0, 1))


@given(rule=uniforms | ternaries | st.just(Sign()) | st.just(Identity()))
def test_specs_round_trip(rule):
    assert quantizer(rule.spec) == rule
    assert quantizer(rule.spec).spec == rule.spec


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("uniform?bits=4", "uniform:4"),
        ("uniform:4?saturate=false", "uniform:4"),
        ("uniform:4?axis=none&saturate=true", "uniform:4?saturate=true"),
        ("uniform:4?axis=0&saturate=TRUE", "uniform:4?saturate=true&axis=0"),
        ("ternary:.90", "ternary:0.9"),
        ("ternary:1", "ternary:1.0"),
        ("codebook:16?dim=1", "codebook:16"),
        ("sign", "sign"),
    ],
)
def test_specs_that_mean_the_same_are_equal(spec, canonical):
    assert quantizer(spec) == quantizer(canonical)
    assert quantizer(spec).spec == canonical


def test_the_paper_s_list_is_canonical_and_ends_with_the_original():
    assert [quantizer(spec).spec for spec in PAPER_A] == list(PAPER_A)
    assert len(PAPER_A) == 9
    assert PAPER_A[-1] == "identity"


def test_a_quantizer_is_its_own_quantizer():
    rule = Uniform(bits=3)
    assert quantizer(rule) is rule


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            "ternery:0.9",
            r"Unknown quantizer 'ternery'\. Did you mean 'ternary'\? `quantleak list quantizers` shows all\.",
        ),
        ("", "Unknown quantizer ''"),
        ("uniform", "'bits' is missing; for example 'uniform:4'"),
        ("uniform:four", "'bits' must be a whole number, got 'four'"),
        ("uniform:4.5", "'bits' must be a whole number"),
        ("uniform:4,5", "takes 1 values after ':', got 2"),
        ("uniform:4?bits=4", "'bits' is given twice"),
        (
            "uniform:4?satturate=true",
            r"unknown option 'satturate=true'\. Did you mean 'saturate'\? Options: bits, saturate, axis",
        ),
        ("uniform:4?saturate", "unknown option 'saturate'"),
        ("uniform:4?saturate=yes", "'saturate' must be true or false, got 'yes'"),
        ("uniform:4?axis=x", "'axis' must be a whole number or none"),
        ("sign?bits=1", "It has no options"),
        ("codebook:16?entries=1", "unknown option 'entries=1'"),
    ],
)
def test_a_wrong_spec_is_told_what_to_type(spec, told):
    with pytest.raises(InputError, match=told):
        quantizer(spec)


@dataclass(frozen=True, kw_only=True)
class Halved(Quantizer):
    """Half of every weight."""

    def apply(self, weight):
        return weight / 2

    def levels(self, weight, batch_dims=0):
        return weight.flatten() / 2

    def effective_bits(self, shape):
        return 31.0


def test_a_third_party_registers_its_own(monkeypatch):
    monkeypatch.setattr(registry.QUANTIZERS, "kinds", dict(registry.QUANTIZERS.kinds))
    register("halved")(Halved)
    assert quantizer("halved")(torch.tensor([2.0])).tolist() == [1]
    assert quantizer("halved").spec == "halved"
    assert [line.name for line in available()][-1] == "halved"
    register("halved")(Halved)
    with pytest.raises(InputError, match="'sign' is taken by Sign"):
        register("sign")(Halved)
    with pytest.raises(InputError, match="letters, digits"):
        register("a:b")(Halved)


def test_an_installed_package_is_found_by_its_entry_point(monkeypatch):
    monkeypatch.setattr(registry.QUANTIZERS, "kinds", dict(registry.QUANTIZERS.kinds))
    points = {"installed": Halved, "wrong": len}

    class Point(EntryPoint):
        def load(self):
            return points[self.name]

    found = [Point(name, "somewhere:Thing", registry.QUANTIZERS.group) for name in points]
    monkeypatch.setattr(plugins, "entry_points", lambda group: found)
    assert isinstance(quantizer("installed"), Halved)
    with pytest.raises(InputError, match="not a Quantizer class"):
        quantizer("wrong")
    with pytest.raises(InputError, match="Did you mean 'installed'"):
        quantizer("instaled")


def test_the_list_names_every_built_in_rule():
    lines = {line.name: line for line in available()}
    assert {"sign", "ternary", "uniform", "codebook", "identity"} <= set(lines)
    for line in lines.values():
        assert line.description.endswith(".")
        assert quantizer(line.example).name == line.name
