from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout, state


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
    for name, view in layout.views(flat).items():
        assert torch.equal(view, state(module)[name])
    assert {slot.name: slot.role for slot in layout.slots}["1.weight"] == "bias"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mpl:8", "Did you mean 'mlp'"),
        ("mlp", "'widths' is missing; for example 'mlp:128'"),
        ("mlp:0", "hidden widths must be at least 1, got 0"),
        ("mlp:a", "'widths' must be whole numbers, separated by commas, got 'a'"),
        ("linear:3", "takes 0 values after ':', got 1"),
        ("linear?bias=no", "'bias' must be true or false, got 'no'"),
        ("no_such_module_at_all:build", "cannot import 'no_such_module_at_all'"),
        ("math:sqroot", "Did you mean|has no function 'sqroot'"),
        ("math:sqrt", "failed"),
        (":build", "Model ':build': cannot import ''.*Write package.module:function"),
        ("..:build", "cannot import '..'"),
        (".models:build", "cannot import '.models'"),
        ("mlp:²", "must be whole numbers"),
        ("mlp:8,²", "must be whole numbers, .* got '8,²'"),
        ("mlp:1_0", "must be whole numbers"),
        ("mlp:" + "9" * 5000, r"must be whole numbers, .* got '9{40}\.\.\.'"),
        ("mlp:99999999999999", "'mlp:99999999999999' .* failed: .*memory.*narrower"),
        ("mlp:9999999999999999999", "failed: .*narrower"),
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
    with pytest.raises(InputError, match=r"returns for a batch of 2 the shape \(2, 3, 2\); it must be \(2, 2\)"):
        network("users_models:wrong", (3, 4), 2)
    with pytest.raises(InputError, match="Did you mean 'build'"):
        network("users_models:biuld", (3, 4), 2)
    sys.modules.pop("users_models")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def build(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise RuntimeError('no device')", "RuntimeError: no device"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def __getattr__(name): raise KeyError(name)", "KeyError"),
    ],
)
def test_whatever_a_users_file_raises_is_explained(
    source: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_models.py").write_text(source + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(InputError, match=rf"Model 'broken_models:build': cannot import 'broken_models' \({error}"):
        network("broken_models:build", (5,), 1)
    sys.modules.pop("broken_models", None)


class Own(nn.Module):
    """A linear model whose output in training is changed by a function."""

    def __init__(self, training: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear, self.answer = nn.Linear(5, 1), training

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear(x)
        return self.answer(out) if self.training else out


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(5))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.scale).sum(1, keepdim=True)


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True)


def fail(out: Tensor) -> Tensor:
    raise RuntimeError("only for evaluation")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape, outputs: Own(fail), "in training mode, failed: RuntimeError: only for evaluation"),
        (lambda shape, outputs: Own(Tensor.detach), "in training mode, failed: RuntimeError: .*grad"),
        (lambda shape, outputs: Own(torch.squeeze), r"in training mode, returns for a batch of 2 the shape \(2,\)"),
        (lambda shape, outputs: Mean(), "has no trainable parameters"),
        (lambda shape, outputs: nn.Linear(5, 1).requires_grad_(False), "has no trainable parameters"),
        (lambda shape, outputs: Scale(), "no weight of two or more dimensions: there is nothing to quantize"),
        (lambda shape, outputs: nn.LazyLinear(outputs), "failed: .* uninitialized parameter"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_modules_that_cannot_be_audited_are_refused(make: Callable[..., nn.Module], message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(make, (5,), 1)


def test_trying_a_network_leaves_torchs_state_alone() -> None:
    before = torch.get_rng_state()
    with torch.no_grad():
        network(lambda shape, outputs: nn.Sequential(nn.Dropout(0.5), nn.Linear(5, 1)), (5,), 1)
        assert not torch.is_grad_enabled()
    assert torch.equal(before, torch.get_rng_state())
