"""`ql.quantize` on whole networks: invariants P and A7, policies, kinds of layers, bad input."""

from __future__ import annotations

import copy
import logging
from pathlib import Path

import pytest
import torch
from tests.ptq.networks import BasicBlock, images, perceptron, residual, vectors
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import quantleak as ql
from quantleak.errors import InputError
from quantleak.ptq import procedure, quantization
from quantleak.ptq.modules.layout import Layout, state
from quantleak.ptq.storage import effective_bits
from quantleak.testing import check_procedure

SPECS = (
    "rtn:4",
    "rtn:ternary?grid=symmetric&range=minmax",
    "obq:3?head=8",
    "obq:4?order=greedy&asymmetric=false",
    "obq:2?order=columns&fold=true",
    "adaround:3?iterations=40",
    "adaround:ternary?iterations=20&batch=16&head=float",
    "brecq:2?iterations=20&batch=16",
    "brecq:3?iterations=20&batch=16&loss=mse&fold=true",
    "obq:4?retune=true",
    "rtn:5?levels=5&zero=false&head=8",
)


@pytest.mark.parametrize("spec", SPECS)
def test_every_rule_is_a_procedure(spec: str) -> None:
    check_procedure(spec)


@pytest.mark.parametrize("rule", ["rtn", "obq", "adaround", "brecq"])
def test_p1_with_many_bits_logits_are_those_of_the_trained_network(rule: str) -> None:
    model, inputs = residual(), images()
    options = "" if rule in ("rtn", "obq") else "?iterations=50"
    made = ql.quantize(model, f"{rule}:12{options}", calibration=inputs)
    torch.testing.assert_close(made(inputs), model(inputs), rtol=0.01, atol=0.01)
    same = ql.quantize(model, f"{rule}:2{options}", calibration=inputs, policy={"*": "float"})
    assert torch.equal(same(inputs), model(inputs))
    assert quantization(same).weights == ()
    assert len(quantization(same).left) == 7


@pytest.mark.parametrize("spec", ["rtn:4", "obq:3", "adaround:3?iterations=20", "brecq:3?iterations=20&batch=16"])
def test_p3_weights_only_are_changed_and_the_trained_network_never(spec: str) -> None:
    model, inputs = residual(), images()
    before = copy.deepcopy(model.state_dict())
    made = ql.quantize(model, spec, calibration=inputs)
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in before.items())
    record = quantization(made)
    names = {one.weight.name for one in record.weights}
    assert names == {name for name, tensor in model.named_parameters() if tensor.ndim > 1}
    for name, tensor in state(made).items():
        assert torch.equal(tensor, state(model)[name]) == (name not in names)
        assert type(tensor) is type(state(model)[name])
    for one in record.weights:
        assert one.grid.levels == 2 ** int(spec.split(":")[1][0])
        assert torch.equal(one.values, made.get_parameter(one.weight.name))
        rows = one.weight.matrix(made.get_parameter(one.weight.name).detach()).flatten(0, 1)
        assert all(len(row.unique()) <= one.grid.levels for row in rows)
    assert not made.training


def test_the_head_and_a_policy_by_name() -> None:
    model, inputs = residual(), images()
    made = ql.quantize(model, "obq:ternary?head=8", calibration=inputs, policy={"3.*": "rtn:4", "0": "float"})
    levels = {one.weight.name: (one.rule, one.grid.levels) for one in quantization(made).weights}
    assert levels["7.weight"] == ("obq:8", 256)
    assert levels["3.conv1.weight"] == levels["3.conv2.weight"] == ("rtn:4", 16)
    assert levels["4.conv1.weight"] == ("obq:ternary?head=8", 3)
    assert quantization(made).left == ("0.weight",)
    # The first pattern decides, and a policy says more than the head's bits.
    made = ql.quantize(model, "rtn:2?head=8", calibration=inputs, policy={"7": "rtn:3", "*": "rtn:5"})
    assert {one.grid.levels for one in quantization(made).weights} == {8, 32}
    floating = ql.quantize(model, "rtn:2?head=float", calibration=inputs)
    assert quantization(floating).left == ("7.weight",)


def test_error_falls_from_rounding_to_data_aware_rules() -> None:
    model, inputs = residual(width=12), images(96)
    wanted = model(inputs)

    def error(spec: str) -> float:
        return float((ql.quantize(model, spec, calibration=inputs)(inputs) - wanted).detach().square().mean())

    for width in ("3", "2", "ternary"):
        nearest = error(f"rtn:{width}?head=8")
        for spec in (f"obq:{width}?head=8", f"adaround:{width}?head=8&iterations=400"):
            assert error(spec) < 0.5 * nearest
        assert error(f"brecq:{width}?head=8&iterations=300&loss=mse") < 0.7 * nearest


def test_b1_a_block_of_one_layer_is_adaround() -> None:
    model, inputs = perceptron(), vectors()
    options = "iterations=60&batch=16"
    one = ql.quantize(model, f"adaround:3?{options}", calibration=inputs, seed=4)
    two = ql.quantize(model, f"brecq:3?{options}&loss=mse", calibration=inputs, seed=4)
    assert all(torch.equal(x, y) for x, y in zip(one.parameters(), two.parameters(), strict=True))


def test_batches_and_gram_matrices_learn_nearly_the_same() -> None:
    model, inputs = perceptron(), vectors(256)
    wanted = model(inputs)
    made = [ql.quantize(model, f"adaround:3?iterations=800&batch={batch}", calibration=inputs) for batch in (0, 256)]
    errors = [float((one(inputs) - wanted).detach().norm()) for one in made]
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


def test_a7_inputs_come_from_the_quantized_layers_before() -> None:
    """The second layer makes up for the first one's error, and does not where its inputs are those of training."""
    model, inputs = perceptron(), vectors(512)
    wanted = model(inputs)
    policy = {"0": "rtn:2"}
    for rule in ("obq:6", "adaround:6"):
        with_them = ql.quantize(model, rule, calibration=inputs, policy=policy)
        without = ql.quantize(model, f"{rule}?asymmetric=false", calibration=inputs, policy=policy)
        assert torch.equal(with_them[0].weight, without[0].weight)
        assert not torch.equal(with_them[2].weight, without[2].weight)
        assert (with_them(inputs) - wanted).norm() <= (without(inputs) - wanted).norm()


class Many(nn.Module):
    """Embedding, recurrent and attention weights, a parameter of its own, a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.recur = nn.Embedding(9, 8), nn.GRU(8, 8, batch_first=True)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.place, self.head = nn.Parameter(torch.randn(1, 5, 8)), nn.Linear(8, 3)
        self.unused = nn.Linear(8, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        x, _ = self.recur(self.embed(tokens) + self.place)
        return self.head(self.attend(x, x, x)[0].mean(1))


def test_embeddings_recurrent_and_attention_weights_are_done_or_refused_by_name() -> None:
    torch.manual_seed(0)
    model, tokens = Many().eval(), torch.randint(9, (32, 5))
    made = ql.quantize(model, "rtn:4")
    assert {one.weight.name for one in quantization(made).weights} == {
        name for name, tensor in model.named_parameters() if tensor.ndim > 1
    }
    with pytest.raises(ql.InputError, match=r"'place' of Many cannot be quantized by obq.*\{\"place\": \"rtn:8\"\}"):
        ql.quantize(model, "obq:4", calibration=tokens)
    policy = {"place": "float", "recur.*": "rtn:8"}
    with pytest.raises(ql.InputError, match=r"'attend.in_proj_weight' of MultiheadAttention cannot be quantized"):
        ql.quantize(model, "obq:4", calibration=tokens, policy=policy)
    made = ql.quantize(model, "obq:4", calibration=tokens, policy=policy | {"attend*": "rtn:6"})
    record = quantization(made)
    assert record["embed"].grid.levels == record["head"].grid.levels == 16
    assert record["attend.out_proj"].grid.levels == 64
    assert record.left == ("place",)
    assert record.notes == ("'unused': did not run on the calibration examples; rounded to nearest",)


def test_a_tied_weight_is_quantized_once() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(12, 6), nn.Linear(6, 12, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens: Tensor) -> Tensor:
            return self.head(self.embed(tokens).mean(1))

    torch.manual_seed(0)
    model, tokens = Tied().eval(), torch.randint(12, (64, 4))
    for spec in ("rtn:3", "obq:3", "adaround:3?iterations=20"):
        made = ql.quantize(model, spec, calibration=tokens)
        assert made.head.weight is made.embed.weight
        assert len(quantization(made).weights) == 1
        assert not torch.equal(made.head.weight, model.head.weight)


def test_a_loader_is_read_as_far_as_needed() -> None:
    model, inputs = perceptron(), vectors(300)
    dataset = TensorDataset(inputs, torch.zeros(300))
    whole = ql.quantize(model, "obq:3?examples=100", calibration=inputs, indices=range(300))
    loaded = ql.quantize(model, "obq:3?examples=100", calibration=DataLoader(dataset, batch_size=64))
    plain = ql.quantize(model, "obq:3?examples=100", calibration=[inputs[:70], inputs[70:]])
    for other in (loaded, plain):
        assert torch.equal(whole[0].weight, other[0].weight)
        assert quantization(other).calibration["sha256"] == quantization(whole).calibration["sha256"]
    assert quantization(whole).calibration["indices"] == list(range(100))
    assert quantization(loaded).calibration["examples"] == 100


def test_few_examples_constant_channels_and_dead_inputs() -> None:
    model, inputs = perceptron(), vectors(3)
    inputs[:, 2] = 0
    with torch.no_grad():
        model[0].weight[1] = 0
        model[0].weight[2] = 0.25
        model[0].weight[3] = model[0].weight[3].abs()
    for spec in ("rtn:3", "obq:3", "obq:3?order=greedy", "adaround:3?iterations=20", "brecq:3?iterations=20"):
        made = ql.quantize(model, spec, calibration=inputs)
        assert all(tensor.isfinite().all() for tensor in made.parameters())
        if spec.startswith("rtn"):
            assert (made[0].weight[1] == 0).all()
    notes = quantization(ql.quantize(model, "obq:3", calibration=inputs)).notes
    assert notes[0] == "'0': 1 inputs are always 0; their weights were set to 0"


def test_it_works_in_inference_mode_too() -> None:
    model, inputs = perceptron(), vectors()
    with torch.inference_mode():
        made = ql.quantize(model, "brecq:3?iterations=5", calibration=inputs)
    assert torch.equal(made[0].weight, ql.quantize(model, "brecq:3?iterations=5", calibration=inputs)[0].weight)


def test_the_head_may_share_its_weight() -> None:
    model, inputs = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6)), vectors()
    model[2].weight = model[0].weight
    made = ql.quantize(model, "rtn:2?head=8", calibration=inputs)
    assert quantization(made)["0"].grid.levels == 256


def test_the_better_rounding_is_kept_and_said(caplog: pytest.LogCaptureFixture) -> None:
    model, inputs = perceptron(), vectors()
    with caplog.at_level(logging.INFO, "quantleak"):
        worse = ql.quantize(
            model, "adaround:3?iterations=1&batch=4&learning_rate=50&asymmetric=false", calibration=inputs
        )
    assert "the learned rounding is worse than the nearest, which is kept" in caplog.text
    assert torch.equal(worse[0].weight, ql.quantize(model, "rtn:3")[0].weight)


def _nan(inputs: Tensor) -> Tensor:
    inputs[3, 1] = torch.nan
    return inputs


class Overflows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two((self.one(x) * 1e30).exp())


class BlockOfTwo(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.one(x), x


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block, self.two = BlockOfTwo(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.block(x)[0])


class Odd(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


@pytest.mark.parametrize(
    ("model", "spec", "options", "message"),
    [
        (perceptron(), "obq:3", {}, r"obq:3 needs calibration examples: give calibration=inputs"),
        (perceptron(), "obq:3", {"calibration": vectors(0)}, r"obq:3 needs calibration examples"),
        (perceptron(), "rtn:3?head=8", {}, r"needs calibration examples"),
        (perceptron(), "obq:3", {"calibration": _nan(vectors())}, r"calibration examples hold NaN or infinite values"),
        (perceptron(), "obq:3", {"calibration": [{"x": 1}]}, r"a batch of the loader is dict, not a tensor"),
        (Overflows(), "obq:3", {"calibration": vectors()}, r"'two': its inputs hold NaN or infinite values"),
        (nn.Sequential(Odd(6, 3)), "obq:3", {"calibration": vectors()}, r"'0' \(Odd\) does not compute the product"),
        (perceptron(), "rtn:4", {"policy": {"headd": "rtn:8"}}, r"'headd' matches no layer.* Layers: 0, 2"),
        (residual(), "rtn:4", {"policy": {"3.conv3": "float"}}, r"matches no layer. Did you mean '3.conv\d'\?"),
        (perceptron(), "rtn:4", {"policy": {"0": "sign"}}, r"'0' must be given float, rtn, obq, adaround or brecq"),
        (perceptron(), "sign", {"policy": {"0": "rtn:3"}}, r"sign takes no policy"),
        (nn.Conv1d(6, 3, 1), "rtn:4?head=8", {"calibration": vectors()[..., None]}, r"runs no linear layer"),
        (nn.ReLU(), "rtn:4", {}, r"there is nothing to quantize"),
        (
            perceptron(),
            "rtn:4",
            {"policy": {"0": "rtn:8?fold=true"}},
            r"fold, retune, head, keep and only are of the whole",
        ),
        (
            perceptron().bfloat16(),
            "rtn:4",
            {},
            r"'0.weight' is torch.bfloat16, which .*model.float\(\)",
        ),
        (
            Pair(),
            "brecq:3?parts=block",
            {"calibration": vectors()},
            r"'block' returns tuple, not a tensor: choose other blocks",
        ),
        (Pair(), "brecq:3?loss=mse&parts=block", {"calibration": vectors()}, r"'block' returns tuple, not a tensor"),
        (residual(), "brecq:3", {"calibration": images(), "policy": {"3.conv1": "obq:3"}}, r"Block '3' holds weights"),
    ],
)
def test_bad_input_is_refused_with_advice(model: nn.Module, spec: str, options: dict, message: str) -> None:
    with pytest.raises(ql.InputError, match=message):
        ql.quantize(model, spec, **options)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rtn:0", r"width must be a number of bits from 1 to 16, ternary, got '0'; for example 'rtn:4'"),
        ("rtn:binary", r"width must be a number of bits from 1 to 16"),
        ("rtn:4?levels=1", r"levels must lie between 2 and 65536, got 1"),
        ("rtn:4?head=none", r"head must be a number of bits from 1 to 16, ternary, float or body, got 'none'"),
        ("rtn:4?grid=log", r"grid must be affine or symmetric, got 'log'"),
        ("rtn:4?range=max", r"range must be search or minmax, got 'max'"),
        ("rtn:1?grid=symmetric", r"a symmetric grid needs 3 levels or more, got 2"),
        ("obq:4?fold=true&retune=true", r"leaves no batch norms to retune"),
        ("obq:4?examples=0", r"examples must be at least 1, got 0"),
        ("obq:4?order=random", r"order must be one of diagonal, columns, greedy, got 'random'"),
        ("obq:4?damping=-1", r"damping must be a share of at least 0, got -1.0; try 0.01"),
        ("adaround:4?iterations=0", r"iterations must be at least 1, got 0"),
        ("adaround:4?penalty=-1", r"penalty must be a number of at least 0, got -1.0"),
        ("brecq:4?batch=0", r"batch must be at least 1, got 0"),
        ("brecq:4?loss=l1", r"loss must be fisher or mse, got 'l1'"),
        ("adarond:4", r"Did you mean 'adaround'\?"),
    ],
)
def test_bad_specs_are_refused_with_advice(spec: str, message: str) -> None:
    with pytest.raises(ql.InputError, match=message):
        ql.quantize(perceptron(), spec, calibration=vectors())


def resnet18() -> nn.Module:
    """ResNet-18 for images of 32 x 32, with random weights."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    width = 64
    for outputs, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        layers.append(BasicBlock(width, outputs, stride))
        width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)).eval()


def test_a_resnet18_is_saved_at_its_size_and_reloaded_to_identical_logits(tmp_path: Path) -> None:
    model, inputs = resnet18(), torch.randn(4, 3, 32, 32)
    made = ql.quantize(model, "rtn:ternary?head=8&range=minmax", calibration=inputs)
    path = ql.save_quantized(made, tmp_path / "resnet18.safetensors")
    assert torch.equal(ql.load_quantized(path, resnet18())(inputs), made(inputs))
    numbers = Layout.of(made, exact=True).count
    assert 11e6 < numbers < 12e6
    # 1.6 bits for log2(3) = 1.585, counters of norms, a header of 12 kB.
    assert path.stat().st_size == pytest.approx(effective_bits(made) * numbers / 8, rel=0.02)
    assert 1.6 < effective_bits(made) < 1.75


def test_layers_that_stay_and_the_only_ones_quantized() -> None:
    model, inputs = residual(), images(16)
    whole = ql.quantize(model, "rtn:ternary").quantization
    layers = [one.weight.layer for one in whole.weights]
    kept = ql.quantize(model, f"rtn:ternary?keep={layers[1].upper()}")
    assert [one.weight.layer for one in kept.quantization.weights] == [name for name in layers if name != layers[1]]
    name = whole.weights[1].weight.name
    assert torch.equal(kept.get_parameter(name), model.get_parameter(name))
    alone = ql.quantize(model, f"obq:2?only={layers[-1]}", calibration=inputs).quantization
    assert [one.weight.layer for one in alone.weights] == layers[-1:]
    assert not procedure("rtn:4?keep=fc").discrete
    for wrong, words in (("keep=nowhere", "leaves no layer"), ("only=*", "leaves no layer"), ("keep=*", "all layers")):
        with pytest.raises(InputError, match=f"{words}.* at full precision. Layers: {layers[0]}"):
            ql.quantize(model, f"rtn:2?{wrong}")
