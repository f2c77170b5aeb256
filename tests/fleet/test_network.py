from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from quantleak.errors import InputError
from quantleak.fleet import Layout, Optimizer, Training, network
from quantleak.fleet.layout import state


def test_linear_and_perceptrons_are_torchs_modules_with_torchs_start() -> None:
    made = network("mlp:8,4", (5,), 2)
    module = made.module(seed=3)
    assert [type(layer) for layer in module.children()] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    torch.manual_seed(3)
    assert torch.equal(nn.Linear(5, 8).weight, next(module.parameters()))


def test_a_start_depends_on_its_seed_alone_and_leaves_torchs_state() -> None:
    made = network("linear", (5,), 1)
    before = torch.get_rng_state()
    one = made.start(1)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(7)
    assert torch.equal(one, made.start(1))
    assert not torch.equal(one, made.start(2))


def test_flat_vectors_go_there_and_back() -> None:
    module = nn.Sequential(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Linear(4, 2))
    layout = Layout.of(module)
    flat = layout.flatten(state(module))
    assert layout.size == flat.numel() == sum(t.numel() for t in state(module).values() if t.is_floating_point())
    assert layout.trained == sum(p.numel() for p in module.parameters())
    for name, view in layout.views(flat).items():
        assert torch.equal(view, state(module)[name])
    assert {slot.name: slot.role for slot in layout.slots}["1.weight"] == "bias"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mpl:8", "Did you mean 'mlp'"),
        ("mlp", "hidden widths"),
        ("mlp:0", "hidden widths"),
        ("mlp:a", "hidden widths"),
        ("linear:3", "hidden widths"),
        ("linear?bias=no", "bias=true or bias=false"),
        ("no_such_module_at_all:build", "cannot import 'no_such_module_at_all'"),
        ("math:sqroot", "Did you mean|has no function 'sqroot'"),
        ("math:sqrt", "failed"),
    ],
)
def test_bad_model_specs_are_explained(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(spec, (5,), 1)


def test_a_users_function_is_imported_and_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_models.py").write_text(
        "from torch import nn\n"
        "def build(shape, outputs):\n    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1], outputs))\n"
        "def wrong(shape, outputs):\n    return nn.Linear(shape[1], outputs)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert network("users_models:build", (3, 4), 2).start(0).numel() == 26
    with pytest.raises(InputError, match=r"answers a batch of 2 with shape \(2, 3, 2\); it must be \(2, 2\)"):
        network("users_models:wrong", (3, 4), 2)
    with pytest.raises(InputError, match="Did you mean 'build'"):
        network("users_models:biuld", (3, 4), 2)
    sys.modules.pop("users_models")


@pytest.mark.parametrize("spec", ["adam:0.001", "sgd:0.1?momentum=0.9", "adamw:0.01?weight_decay=0.1"])
def test_optimizer_specs_round_trip(spec: str) -> None:
    assert Optimizer.parse(spec).spec == spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("adma:1e-3", "Did you mean 'adam'"),
        ("adam:fast", "learning_rate must be a number"),
        ("adam:0", "above 0"),
        ("adam:1e-3?momentum=0.9", "adam has no option 'momentum'"),
        ("sgd:0.1?momentun=0.9", "Did you mean 'momentum'"),
        ("sgd:-1", "at least 0"),
    ],
)
def test_bad_optimizer_specs_are_explained(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Optimizer.parse(spec)


def test_checkpoints_come_every_few_epochs_and_at_the_last() -> None:
    training = Training(epochs=7, evaluate_every=3)
    assert [e for e in range(1, 8) if training.evaluated(e)] == [3, 6, 7]
    with pytest.raises(InputError, match="epochs must be at least 1"):
        Training(epochs=0)
