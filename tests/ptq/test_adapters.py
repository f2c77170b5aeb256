"""Models quantized by torchao and hqq, read through their dequantized weights."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

import quantleak as ql
from quantleak.ptq import Procedure, register
from quantleak.ptq.registry import PROCEDURES

pytestmark = pytest.mark.filterwarnings("ignore")


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4)).eval()


def by_torchao(model: nn.Module, config: Any = None) -> nn.Module:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    made = copy.deepcopy(model)
    quantize_(made, config or Int8WeightOnlyConfig())
    return made


def by_hqq(model: nn.Module) -> nn.Module:
    from hqq.core.quantize import BaseQuantizeConfig, HQQLinear

    made = copy.deepcopy(model)
    config = BaseQuantizeConfig(nbits=4, group_size=32)
    made[0] = HQQLinear(made[0], config, compute_dtype=torch.float32, device="cpu", del_orig=False)
    return made


@pytest.mark.parametrize("library", [by_torchao, by_hqq])
def test_the_plain_module_predicts_as_the_quantized_one(library: Any) -> None:
    model, inputs = network(), torch.randn(20, 64)
    quantized = library(model)
    plain = ql.dequantized(quantized)
    assert all(type(one.data) is Tensor and one.is_floating_point() for one in plain.parameters())
    assert [type(part) for part in plain] == [nn.Linear, nn.ReLU, nn.Linear]
    torch.testing.assert_close(plain(inputs), quantized(inputs), rtol=1e-5, atol=1e-5)
    assert not torch.equal(plain[0].weight, model[0].weight)
    assert len(plain[0].weight[0].unique()) < 64
    assert torch.equal(plain(inputs), ql.dequantized(plain)(inputs))
    assert ql.dequantized(plain) is plain


def test_a_layer_by_itself_is_read_too() -> None:
    layer = by_hqq(network())[0]
    inputs = torch.randn(3, 64)
    torch.testing.assert_close(ql.dequantized(layer)(inputs), layer(inputs))


def test_four_bits_of_torchao() -> None:
    from torchao.quantization import IntxWeightOnlyConfig

    quantized, inputs = by_torchao(network(), IntxWeightOnlyConfig(weight_dtype=torch.int4)), torch.randn(5, 64)
    plain = ql.dequantized(quantized)
    torch.testing.assert_close(plain(inputs), quantized(inputs), rtol=1e-5, atol=1e-5)
    assert len(plain[0].weight.unique()) <= 16 * 32


def test_what_cannot_be_read_is_refused_by_name() -> None:
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig

    with pytest.raises(ql.InputError, match=r"'0.weight' of Linear \(Int8Tensor\) quantizes activations too"):
        ql.dequantized(by_torchao(network(), Int8DynamicActivationInt8WeightConfig()))
    dynamic = torch.ao.quantization.quantize_dynamic(network(), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(ql.InputError, match=r"'0' \(torch.ao.nn.quantized.dynamic.*quantizes activations too"):
        ql.dequantized(dynamic)
    packed = network()
    packed[2].weight = nn.Parameter(torch.randint(0, 9, (4, 32), dtype=torch.uint8), requires_grad=False)
    with pytest.raises(ql.InputError, match=r"'2.weight' of Linear \(Tensor, torch.uint8\) cannot be dequantized"):
        ql.dequantized(packed)


def test_a_quantized_model_is_not_quantized_again() -> None:
    with pytest.raises(ql.InputError, match=r"'0.weight' of Linear is quantized already \(Int8Tensor\)"):
        ql.quantize(by_torchao(network()), "rtn:4")
    assert ql.quantize(ql.dequantized(by_torchao(network())), "rtn:4").quantization.weights


@dataclass(frozen=True, kw_only=True)
class Torchao(Procedure):
    """Eight bits by torchao, handed over as it is or dequantized first."""

    plain: bool = False
    discrete: ClassVar[bool] = True
    every_epoch: ClassVar[bool] = True

    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        made = by_torchao(model)
        return ql.dequantized(made) if self.plain else made.eval()

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        return 8.0


def test_the_audit_of_a_torchao_model_is_that_of_its_dequantized_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROCEDURES, "kinds", dict(PROCEDURES.kinds))
    register("torchao")(Torchao)
    specs = ("torchao", "torchao?plain=true")
    result = ql.audit(ql.bundled("breast_cancer"), quantizers=specs, models=4, epochs=3, model="mlp:8", workers=1)
    one, two = result["torchao"], result["torchao?plain=true"]
    assert one.utility == two.utility
    assert one.rate.value == two.rate.value
    assert one.rate.elements == two.rate.elements
    assert [attack.auc for attack in one.attacks] == [attack.auc for attack in two.attacks]
