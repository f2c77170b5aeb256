"""A procedure with calibration is one file: registered here, it is audited, listed and reported like any other."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import quantleak as ql
from quantleak.auditing import Settings
from quantleak.auditing.plan import make_plan
from quantleak.cli import app
from quantleak.ptq import Elementwise, Layout, Procedure, register
from quantleak.ptq.modules.layout import state
from quantleak.ptq.registry import PROCEDURES
from quantleak.testing import check_procedure


@dataclass(frozen=True, kw_only=True)
class Clipped(Procedure):
    """Weights clipped at the largest activation of the calibration rows, then `bits` bits; the rest bfloat16."""

    bits: int = 4
    rows: int = 32
    follow: bool = False
    positional: ClassVar[tuple[str, ...]] = ("bits",)
    discrete: ClassVar[bool] = True

    @property
    def calibration_rows(self) -> int:
        return self.rows

    @property
    def every_epoch(self) -> bool:
        return self.follow

    @torch.no_grad()
    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        if calibration is None:
            raise ql.InputError("own-clip needs calibration rows.")
        made = self.restored(model, {})
        largest = float(made(calibration).abs().max().bfloat16())
        step = largest / 2 ** (self.bits - 1)
        for tensor in state(made).values():
            if tensor.ndim >= 2:
                tensor.copy_((tensor.clamp(-largest, largest) / step).round() * step)
            elif tensor.is_floating_point():
                tensor.copy_(tensor.bfloat16())
        return made

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        layout = Layout.of(quantized, exact=True, constants=constants)
        return sum(s.count * (self.bits if s.role == "weight" else 16) for s in layout.slots) / layout.count


@dataclass(frozen=True, kw_only=True)
class SignOneByOne(Procedure):
    """The sign of every weight, one model after another."""

    discrete: ClassVar[bool] = True
    every_epoch: ClassVar[bool] = True

    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        return Elementwise(rule=ql.quantizer("sign")).quantize(model)

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        return Elementwise(rule=ql.quantizer("sign")).effective_bits(quantized, constants)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROCEDURES, "kinds", {})
    register("own-clip", example="own-clip:4")(Clipped)
    register("own-sign")(SignOneByOne)


def audited(*specs: str, out: Path | None = None) -> ql.AuditResult:
    small = {"models": 4, "epochs": 3, "model": "mlp:8", "workers": 1}
    return ql.audit(ql.bundled("breast_cancer"), quantizers=specs, out=out, **small)


def test_it_passes_the_suite() -> None:
    check_procedure("own-clip:3")


def test_an_audit_takes_it_and_has_no_rate_of_what_was_quantized_once(tmp_path: Path) -> None:
    result = audited("own-clip:4", "sign", out=tmp_path)
    assert [row.spec for row in result.quantizers] == ["identity", "own-clip:4", "sign"]
    own = result["own-clip:4"]
    assert own.rate.value is None
    assert own.rate.reason.startswith("no trajectory")
    assert result["sign"].rate.value is not None
    assert 4 < own.effective_bits < 5
    assert own.utility.value > 0.6
    assert {attack.mode for attack in own.attacks} == {"none", "adaptive", "transfer", "recalibrated"}
    assert result.data["calibration"] == {"own-clip:4": {"source": "members", "examples": 32}}
    assert (tmp_path / "report.html").exists()


def test_followed_at_every_epoch_it_has_a_rate() -> None:
    followed, last = audited("own-clip:4?follow=true"), audited("own-clip:4")
    one, two = followed.quantizers[1], last.quantizers[1]
    assert one.rate.value is not None
    assert 1 <= one.rate.elements <= 3
    assert one.utility == two.utility
    assert [attack.auc for attack in one.attacks] == [attack.auc for attack in two.attacks]


def test_quantized_one_by_one_a_rule_has_the_numbers_of_its_batched_path() -> None:
    result = audited("own-sign", "sign")
    one, batched = result["own-sign"], result["sign"]
    assert one.rate.elements == batched.rate.elements
    assert one.rate.value == pytest.approx(batched.rate.value, rel=1e-4)
    assert one.cramer.value == pytest.approx(batched.cramer.value, rel=1e-4)
    assert one.utility.value == pytest.approx(batched.utility.value, rel=1e-6)
    for mine, theirs in zip(one.attacks, batched.attacks, strict=True):
        assert (mine.name, mine.mode) == (theirs.name, theirs.mode)
        assert mine.auc.value == pytest.approx(theirs.auc.value, abs=1e-3)


def test_what_it_saw_of_the_data_is_part_of_the_identity() -> None:
    def identity(*specs: str) -> str:
        settings = Settings(model="linear", models=4, epochs=1, quantizers=specs, trainer="stacked")
        return json.dumps(make_plan(ql.bundled("breast_cancer"), settings).identity)

    assert '"calibration": ' not in identity("sign")
    assert identity("own-clip:4") != identity("own-clip:4?rows=16")


def test_quantizing_first_is_not_granted_to_who_lacks_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def quantize_first(attacked, baseline, data_free):
        seen.append(list(data_free))
        return dict(attacked)

    monkeypatch.setattr("quantleak.auditing.run.quantize_first", quantize_first)
    audited("own-clip:4", "sign")
    assert seen == [["identity", "sign"]]


def test_it_is_listed() -> None:
    shown = CliRunner().invoke(app, ["list", "quantizers"]).output
    assert "own-clip:4" in shown
    assert "clipped at the largest activation" in shown
