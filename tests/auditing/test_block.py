"""Audits of a user's own modules: all of their state counts, constants are left alone, outputs must be logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import quantleak as ql
from quantleak.auditing import Settings
from quantleak.auditing.block import BlockJob
from quantleak.auditing.measures.signals import are_probabilities
from quantleak.auditing.plan import make_plan
from quantleak.errors import InputError
from quantleak.fleet import Block, Checkpoint, trainer
from quantleak.requests.describe import describe, description

MODULES = """
import torch
from torch import nn


class Own(nn.Module):
    def __init__(self, inputs, outputs, last=None):
        super().__init__()
        self.prepare(inputs)
        layers = [nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs), *([last] if last else [])]
        self.layers = nn.Sequential(*layers)

    def prepare(self, inputs):
        pass

    def changed(self, x):
        return x

    def forward(self, x):
        return self.layers(self.changed(x))


class Permuted(Own):
    def prepare(self, inputs):
        self.register_buffer("p", torch.randperm(inputs))

    def changed(self, x):
        return x[:, self.p]


class Drawn(Own):
    def prepare(self, inputs):
        self.p = torch.randperm(inputs)

    def changed(self, x):
        return x[:, self.p]


class Scaled(Own):
    def prepare(self, inputs):
        self.register_buffer("mean", torch.tensor(1000.3))
        self.register_buffer("std", torch.tensor(0.01))

    def changed(self, x):
        return (x * 0.01 + 1000.3 - self.mean) / self.std


def plain(shape, outputs): return Own(shape[0], outputs)
def permuted(shape, outputs): return Permuted(shape[0], outputs)
def drawn(shape, outputs): return Drawn(shape[0], outputs)
def scaled(shape, outputs): return Scaled(shape[0], outputs)
def sigmoid(shape, outputs): return Own(shape[0], outputs, nn.Sigmoid())
def softmax(shape, outputs): return Own(shape[0], outputs, nn.Softmax(-1))
def log_softmax(shape, outputs): return Own(shape[0], outputs, nn.LogSoftmax(-1))
"""


@pytest.fixture(autouse=True)
def modules(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "stateful_models.py").write_text(MODULES)
    monkeypatch.syspath_prepend(str(folder))


def audited(name: str, data: str = "breast_cancer", **options: Any) -> ql.AuditResult:
    chosen: dict[str, Any] = {"models": 4, "epochs": 20, "optimizer": "adam:1e-2", "quantizers": ("uniform:8",)}
    return ql.audit(ql.bundled(data), model=f"stateful_models:{name}", workers=1, **chosen | options)


def test_a_permutation_drawn_for_each_model_costs_nothing() -> None:
    permuted, plain = audited("permuted", trainer="serial"), audited("plain", trainer="serial")
    for one, two in zip(permuted.quantizers, plain.quantizers, strict=True):
        assert one.utility.value == pytest.approx(two.utility.value, abs=0.02)
    assert permuted.data["model"] == {"buffers_exact": ["p"]}
    assert "model" not in plain.data


def test_constants_are_not_rounded_and_the_result_says_so() -> None:
    scaled, plain = audited("scaled", trainer="serial"), audited("plain", trainer="serial")
    for one, two in zip(scaled.quantizers, plain.quantizers, strict=True):
        assert one.utility.value == pytest.approx(two.utility.value, abs=0.02)
        assert one.effective_bits == two.effective_bits
    assert scaled.data["model"] == {"buffers_constant": ["mean", "std"]}
    plan = make_plan(ql.bundled("breast_cancer"), Settings(model="stateful_models:scaled", models=4, epochs=2))
    assert description(plan)["model"]["buffers_constant"] == ["mean", "std"]
    assert "buffers constant: mean, std" in describe(plan)


@pytest.mark.parametrize("chosen", ["auto", "serial"])
def test_a_draw_that_torch_does_not_know_of_is_refused_before_training(chosen: str) -> None:
    settings = Settings(model="stateful_models:drawn", models=4, epochs=2, trainer=chosen)
    with pytest.raises(InputError, match="for 'p' differs between models.*register_buffer"):
        make_plan(ql.bundled("breast_cancer"), settings)


@pytest.mark.parametrize(("name", "data"), [("sigmoid", "breast_cancer"), ("softmax", "wine")])
def test_probabilities_are_refused(name: str, data: str) -> None:
    with pytest.raises(InputError, match="seems to return probabilities.*Return logits: leave out the last sigmoid"):
        audited(name, data, epochs=3)


def test_log_probabilities_and_models_that_learn_nothing_are_taken() -> None:
    """Untrained logits have random signs, which tells a model that has learned little from a sigmoid."""
    assert audited("log_softmax", "wine", epochs=3).task == "multiclass"
    assert audited("plain", epochs=1, optimizer="adam:1e-9").task == "binary"


@given(st.integers(0, 2**32 - 1))
def test_what_counts_as_probabilities(seed: int) -> None:
    logits = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 30, 3)))
    rows = torch.softmax(logits, -1)
    assert are_probabilities(rows, "multiclass")
    assert are_probabilities(torch.sigmoid(logits[..., :1]), "binary")
    assert not are_probabilities(torch.sigmoid(logits), "multiclass")
    assert not are_probabilities(torch.sigmoid(logits[..., :1]), "regression")
    assert not are_probabilities(logits[..., :1], "binary")
    assert not are_probabilities(torch.zeros(2, 30, 1), "binary")


def test_whoever_watches_sees_every_evaluated_epoch_and_changes_nothing() -> None:
    chosen: dict[str, Any] = {"model": "mlp:8", "quantizers": ("uniform:4", "rtn:2"), "block": 2, "trainer": "vmap"}
    plan = make_plan(ql.bundled("wine"), Settings(models=4, epochs=5, evaluate_every=2, **chosen))
    seen: list[Checkpoint] = []
    watched = BlockJob((2, 3)).run(plan, seen.append)
    block = Block(plan.fleet(), (2, 3))
    expected = list(trainer("vmap", block).train(block))
    assert [one.epoch for one in seen] == [2, 4, 5]
    for one, other in zip(seen, expected, strict=True):
        assert torch.equal(one.flat, other.flat)
    alone = BlockJob((2, 3))(plan)
    for name in ("pool", "population", "test", "training", "fidelity"):
        np.testing.assert_array_equal(getattr(watched, name), getattr(alone, name))
    assert (watched.bits, watched.rates, watched.certificates) == (alone.bits, alone.rates, alone.certificates)
