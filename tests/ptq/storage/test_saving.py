"""Saved and reloaded: the same bits, the size that the effective bits say, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tests.ptq.networks import BasicBlock, images, perceptron, residual
from torch import nn

import quantleak as ql
from quantleak.ptq import quantization
from quantleak.ptq.modules.layout import Layout, state
from quantleak.ptq.storage import effective_bits


@pytest.mark.parametrize(
    ("spec", "policy"),
    [
        ("rtn:4", None),
        ("obq:ternary?head=8", {"0": "float"}),
        ("obq:3?fold=true&order=columns", None),
        ("rtn:9?levels=300&zero=false", {"7": "rtn:1"}),
        ("brecq:5?iterations=3", None),
    ],
)
def test_p2_a_reloaded_module_gives_identical_logits(tmp_path: Path, spec: str, policy: Any) -> None:
    model, inputs = residual(), images()
    made = ql.quantize(model, spec, calibration=inputs, policy=policy, seed=3, indices=range(5, 53))
    path = ql.save_quantized(made, tmp_path / "a" / "model.safetensors")
    other = residual(seed=9)
    loaded = ql.load_quantized(path, other)
    assert torch.equal(loaded(inputs), made(inputs))
    assert not torch.equal(other(inputs), made(inputs))
    one, two = quantization(made), quantization(loaded)
    for name in ("spec", "policy", "seed", "left", "unquantized_dtype", "calibration", "folded", "source", "notes"):
        assert getattr(one, name) == getattr(two, name), name
    for a, b in zip(one.weights, two.weights, strict=True):
        assert (a.weight, a.rule, a.grid.levels) == (b.weight, b.rule, b.grid.levels)
        assert torch.equal(a.codes, b.codes)
        assert torch.equal(a.grid.scale, b.grid.scale)
        assert torch.equal(a.grid.zero, b.grid.zero)
    again = ql.save_quantized(loaded, tmp_path / "again.safetensors")
    assert again.read_bytes() == path.read_bytes()


def test_the_header_says_what_made_it(tmp_path: Path) -> None:
    made = ql.quantize(residual(), "obq:3?head=8", calibration=images(), policy={"0": "float"}, indices=range(48))
    with safe_open(ql.save_quantized(made, tmp_path / "q.safetensors"), framework="pt") as file:
        said = json.loads(file.metadata()["quantleak.quantized"])
    assert said["spec"] == "obq:3?head=8"
    assert said["policy"] == {"0.weight": "float"}
    assert said["weights"]["7.weight"] == {"rule": "obq:8", "levels": 256, "shape": [4, 12]}
    assert said["calibration"]["indices"] == list(range(48))
    assert len(said["source"]) == len(said["calibration"]["sha256"]) == 64


def wide() -> nn.Module:
    """A network whose weights outweigh its header."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), BasicBlock(64, 128, 2), BasicBlock(128, 256, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("spec", ["rtn:ternary", "rtn:4?head=8", "rtn:3"])
def test_its_size_is_that_of_its_effective_bits(tmp_path: Path, spec: str) -> None:
    made = ql.quantize(wide(), spec, calibration=images())
    content = ql.save_quantized(made, tmp_path / "q.safetensors").read_bytes()
    size = len(content) - int.from_bytes(content[:8], "little")  # without the header
    numbers = Layout.of(made, exact=True).count
    counters = 8 * sum(name.endswith("num_batches_tracked") for name in state(made))
    assert size == pytest.approx(effective_bits(made) * numbers / 8 + counters, rel=0.015)
    by_hand = sum(
        one.weight.count * torch.tensor(one.grid.levels).log2().item() + one.weight.rows * 40
        for one in quantization(made).weights
    )
    rest = sum(t.numel() for n, t in state(made).items() if t.ndim == 1)
    assert effective_bits(made) * numbers == pytest.approx(by_hand + 32 * rest, rel=1e-6)


def test_half_of_the_rest_is_saved_if_it_was_rounded(tmp_path: Path) -> None:
    from quantleak.ptq import procedure

    made = procedure("rtn:4", "bfloat16").quantize(residual(), None, 0)
    path = ql.save_quantized(made, tmp_path / "q.safetensors")
    assert load_file(path)["1.running_mean"].dtype == torch.bfloat16
    assert torch.equal(ql.load_quantized(path, residual(4))(images()), made(images()))


def test_another_architecture_is_refused_with_the_first_tensor_and_both_shapes(tmp_path: Path) -> None:
    path = ql.save_quantized(ql.quantize(residual(), "rtn:4"), tmp_path / "q.safetensors")
    with pytest.raises(ql.InputError, match=r"'0.weight' was saved with shape \(6, 3, 3, 3\), but has \(8, 3, 3, 3\)"):
        ql.load_quantized(path, residual(width=8))
    with pytest.raises(ql.InputError, match=r"the saved weight '3.conv1.weight' of shape \(6, 6, 3, 3\) is not in"):
        ql.load_quantized(path, nn.Sequential(nn.Conv2d(3, 6, 3, bias=False)))
    more = residual()
    more.add_module("8", nn.Linear(4, 2))
    with pytest.raises(ql.InputError, match=r"'8.weight' has shape \(2, 4\) in Sequential but is missing there"):
        ql.load_quantized(path, more)
    less = residual()
    less[1] = nn.Identity()
    with pytest.raises(ql.InputError, match=r"the saved tensor '1.bias' of shape \(6,\) is not in the module"):
        ql.load_quantized(path, less)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = ql.save_quantized(ql.quantize(perceptron(), "rtn:4"), tmp_path / "q.safetensors")
    whole = path.read_bytes()
    with pytest.raises(ql.InputError, match="is no file; ql.save_quantized"):
        ql.load_quantized(tmp_path / "none", perceptron())
    (tmp_path / "cut").write_bytes(whole[:-40])
    with pytest.raises(ql.InputError, match="is no safetensors file, or is damaged"):
        ql.load_quantized(tmp_path / "cut", perceptron())
    save_file({"a": torch.ones(2)}, tmp_path / "other")
    with pytest.raises(ql.InputError, match="was not written by ql.save_quantized"):
        ql.load_quantized(tmp_path / "other", perceptron())
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    for change, message in (
        ({"quantleak.quantized": "{"}, "is damaged: its description cannot be read"),
        ({"quantleak.quantized": '{"version": 1}'}, "is damaged: its description has no spec"),
        ({"quantleak.quantized": '{"version": 99}'}, "has version 99 of the format"),
    ):
        save_file(tensors, tmp_path / "bad", header | change)
        with pytest.raises(ql.InputError, match=message):
            ql.load_quantized(tmp_path / "bad", perceptron())
    save_file(tensors | {"0.weight.codes": torch.zeros(3, dtype=torch.uint8)}, tmp_path / "bad", header)
    with pytest.raises(ql.InputError, match=r"the codes of '0.weight' are damaged: 48 bytes of codes were expected"):
        ql.load_quantized(tmp_path / "bad", perceptron())


def test_what_has_no_codes_or_other_ones_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ql.InputError, match="has no codes: it was not made by ql.quantize"):
        ql.save_quantized(perceptron(), tmp_path / "q")
    made = ql.quantize(perceptron(), "rtn:4")
    with torch.no_grad():
        made[0].weight[0, 0] += 1
    with pytest.raises(ql.InputError, match=r"'0.weight' was changed after it was quantized"):
        ql.save_quantized(made, tmp_path / "q")
    (tmp_path / "file").write_text("")
    with pytest.raises(ql.InputError, match="cannot write"):
        ql.save_quantized(ql.quantize(perceptron(), "rtn:4"), tmp_path / "file" / "q")
