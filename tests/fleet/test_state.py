"""One question to every kind of module: does what is kept of a trained model answer as that model does?

The oracle trains a `deepcopy` of each module in a plain loop. A trainer either reaches its state, and predictions from
what was kept are its predictions, or refuses by name.
"""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from quantleak.errors import InputError
from quantleak.fleet import (
    TRAINERS,
    Adam,
    Checkpoint,
    Fleet,
    Predictor,
    Training,
    constants,
    rows_of,
    trainer,
)
from quantleak.fleet import optimizer as read_optimizer
from quantleak.fleet.batches import ModelBatches
from quantleak.models import network
from quantleak.ptq import Elementwise
from quantleak.ptq.modules.layout import state
from quantleak.quantizers import quantizer
from quantleak.rng import Stream, model_stream, torch_seed

EXAMPLES, INPUTS, MODELS = 40, 6, 3
Build = Callable[[tuple[int, ...], int], nn.Module]


def fleet(build: Build) -> Fleet:
    draws = np.random.default_rng(5)
    features = draws.normal(size=(EXAMPLES, INPUTS)).astype(np.float32)
    member = draws.permuted(np.tile(np.arange(EXAMPLES) < EXAMPLES // 2, (MODELS, 1)), axis=1)
    return Fleet(
        network=network(build, (INPUTS,), 1),
        task="binary",
        features=torch.from_numpy(features),
        targets=torch.from_numpy(draws.integers(0, 2, EXAMPLES)),
        members=rows_of(member),
        training=Training(epochs=3, batch=5, optimizer=read_optimizer("adam:1e-2"), evaluate_every=3),
        seed=11,
        block=MODELS,
    )


def plain_loop(made: Fleet, model: int) -> nn.Module:
    """A trained copy of one module."""
    seed = torch_seed(made.seed, Stream.START, model)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        random.seed(seed)
        module = made.network.build()
        with contextlib.suppress(RuntimeError):  # torch cannot copy what the old norms compute
            module = copy.deepcopy(module)
        module.train()
        optimizer = torch.optim.Adam((p for p in module.parameters() if p.requires_grad), lr=1e-2, fused=True)
        batches = ModelBatches(made.members[model], made.steps, model_stream(made.seed, Stream.BATCHES, model))
        for epoch in range(1, made.training.epochs + 1):
            torch.manual_seed(torch_seed(made.seed, Stream.FORWARD, model, epoch))
            order = batches.epoch()
            for first, last in zip(batches.edges[:-1], batches.edges[1:], strict=True):
                rows = torch.from_numpy(order[first:last].copy())
                optimizer.zero_grad()
                logits, targets = module(made.features[rows])[:, 0], made.targets[rows]
                nn.functional.softplus(logits * (1 - 2 * targets.float())).mean().backward()
                optimizer.step()
    return module.eval()


def trained(name: str, made: Fleet) -> Checkpoint:
    *_, last = TRAINERS[name].train(made.blocks()[0])
    return last


class Head(nn.Module):
    """`prepare` makes something of the module; `features` is called on the inputs."""

    def __init__(
        self, inputs: int, prepare: Callable[[Any], Any], features: Callable[[Any, Tensor], Tensor], width: int = INPUTS
    ) -> None:
        super().__init__()
        prepare(self)
        self.features = features
        self.head = nn.Sequential(nn.Linear(width, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.features(self, x))
        return out


def own(prepare: Callable[[Any], Any], features: Callable[[Any, Tensor], Tensor], width: int = INPUTS) -> Build:
    return lambda shape, outputs: Head(shape[0], prepare, features, width)


def layers(*make: Callable[[], nn.Module]) -> Build:
    return lambda shape, outputs: nn.Sequential(*(one() for one in make))


def linear(inputs: int = INPUTS, outputs: int = 1, **options: Any) -> Callable[[], nn.Module]:
    return lambda: nn.Linear(inputs, outputs, **options)


def pruned() -> nn.Module:
    return prune.random_unstructured(nn.Linear(INPUTS, 4), "weight", 0.3)


def tie(module: Any) -> None:
    module.a, module.b = nn.Linear(INPUTS, INPUTS), nn.Linear(INPUTS, INPUTS)
    module.b.weight = module.a.weight


def replace_buffer(module: Any, x: Tensor) -> Tensor:
    if module.training:
        module.mean = 0.9 * module.mean + 0.1 * x.detach().mean(0)
    return x - module.mean


def write_buffer(module: Any, x: Tensor) -> Tensor:
    if module.training:
        module.mean.mul_(0.9).add_(0.1 * x.detach().mean(0))
    return x - module.mean


def count_in_buffer(module: Any, x: Tensor) -> Tensor:
    """An integer that training changes and predictions depend on."""
    if module.training:
        module.steps.add_(1)
    return x / module.steps


# Without biases whose gradient is zero but for rounding (before a norm, in a softmax): Adam makes full steps of it.
RIGHT: dict[str, Build] = {
    "linear": layers(linear()),
    "perceptron, one bias": layers(linear(outputs=4, bias=False), nn.ReLU, linear(4)),
    "convolution": layers(lambda: nn.Unflatten(1, (1, INPUTS)), lambda: nn.Conv1d(1, 2, 3), nn.Flatten, linear(8)),
    "batch norm": layers(linear(outputs=4, bias=False), lambda: nn.BatchNorm1d(4), nn.Tanh, linear(4)),
    "layer norm": layers(linear(outputs=4), lambda: nn.LayerNorm(4), linear(4)),
    "group norm": layers(linear(outputs=8, bias=False), lambda: nn.GroupNorm(2, 8), linear(8)),
    "embedding": own(
        lambda m: setattr(m, "embed", nn.Embedding(2, 3)), lambda m, x: m.embed((x > 0).long()).flatten(1), INPUTS * 3
    ),
    "lstm": own(
        lambda m: setattr(m, "r", nn.LSTM(1, 3, batch_first=True)), lambda m, x: m.r(x[..., None])[0][:, -1], 3
    ),
    "attention": own(
        lambda m: setattr(m, "a", nn.MultiheadAttention(2, 1, bias=False, batch_first=True)),
        lambda m, x: m.a(*[x.unflatten(1, (3, 2))] * 3)[0].flatten(1),
    ),
    "permutation": own(lambda m: m.register_buffer("p", torch.randperm(INPUTS)), lambda m, x: x[:, m.p]),
    "mask": own(lambda m: m.register_buffer("mask", torch.rand(INPUTS) < 0.5), lambda m, x: x * m.mask),
    "Fourier matrix": own(lambda m: m.register_buffer("f", torch.randn(INPUTS, 5)), lambda m, x: (x @ m.f).sin(), 5),
    "complex buffer": own(
        lambda m: m.register_buffer("c", torch.randn(INPUTS, dtype=torch.complex64)), lambda m, x: (x * m.c).real
    ),
    "tied": own(tie, lambda m, x: m.b(m.a(x).tanh())),
    "pruned": layers(pruned, nn.Tanh, linear(4)),
    "weight norm": layers(lambda: parametrizations.weight_norm(nn.Linear(INPUTS, 4)), linear(4)),
    "spectral norm": layers(lambda: parametrizations.spectral_norm(nn.Linear(INPUTS, 4)), linear(4)),
    "old spectral norm": layers(lambda: nn.utils.spectral_norm(nn.Linear(INPUTS, 4)), linear(4)),
    "dropout": layers(linear(outputs=9), lambda: nn.Dropout(0.4), linear(9)),
    "drawn dropout": lambda shape, outputs: nn.Sequential(
        nn.Linear(INPUTS, 9), nn.Dropout(float(torch.rand(()))), nn.Linear(9, 1)
    ),
    "frozen": layers(lambda: nn.Linear(INPUTS, 4).requires_grad_(False), nn.ReLU, linear(4)),
    "written buffer": own(lambda m: m.register_buffer("mean", torch.zeros(INPUTS)), write_buffer),
    "replaced buffer": own(lambda m: m.register_buffer("mean", torch.zeros(INPUTS)), replace_buffer),
    "integer that changes": own(lambda m: m.register_buffer("steps", torch.tensor(1)), count_in_buffer),
    "constant attribute": own(lambda m: setattr(m, "scale", torch.full((INPUTS,), 0.1)), lambda m, x: x * m.scale),
    "lightning": lambda shape, outputs: InLightning(),
}


class InLightning(lightning.LightningModule):
    """Not trained as it says here: other trainers call it as any module."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(INPUTS, 1)
        self.register_buffer("p", torch.randperm(INPUTS))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x[:, self.p])
        return out

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        return nn.functional.softplus(self(batch[0])[:, 0] * (1 - 2 * batch[1])).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-2, fused=True)


def assert_reached(name: str, made: Fleet, *, bits: bool) -> None:
    """The state of the oracle, and its predictions."""
    modules = [plain_loop(made, model) for model in range(MODELS)]
    flat = trained(name, made).flat
    expected = torch.stack([made.network.layout.flatten(state(module)) for module in modules])
    if bits:
        assert torch.equal(flat, expected)
    else:
        torch.testing.assert_close(flat, expected, rtol=1e-4, atol=2e-6)
    with torch.no_grad():
        answers = torch.stack([module(made.features) for module in modules])
        rebuilt = torch.stack([made.network.rebuilt(one).eval()(made.features) for one in flat])
    if bits:
        assert torch.equal(rebuilt, answers)
    torch.testing.assert_close(Predictor(made.network, made.features)(flat), answers, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")
def test_serial_keeps_all_of_a_model(name: str) -> None:
    assert_reached("serial", fleet(RIGHT[name]), bits=True)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("batched", ["compiled", "stacked", "vmap"])
@pytest.mark.filterwarnings("ignore:.*spectral_norm:FutureWarning")
def test_batched_trainers_reach_the_same_or_refuse(name: str, batched: str) -> None:
    made = fleet(RIGHT[name])
    if TRAINERS[batched].refuses(made.blocks()[0]) is None:
        assert_reached(batched, made, bits=False)
    else:
        assert batched == "vmap" or name != "linear"


def test_vmap_takes_what_differs_in_parameters_and_buffers_alone() -> None:
    taken = {name for name, build in RIGHT.items() if TRAINERS["vmap"].refuses(fleet(build).blocks()[0]) is None}
    assert taken >= {"linear", "convolution", "batch norm", "permutation", "mask", "Fourier matrix", "written buffer"}
    assert taken.isdisjoint({"dropout", "replaced buffer"})


def test_lightning_keeps_all_of_a_model() -> None:
    made = replace(fleet(RIGHT["lightning"]), training=replace(fleet(RIGHT["linear"]).training, optimizer=Adam()))
    assert torch.equal(
        trained("serial-lightning", made).flat,
        torch.stack([made.network.layout.flatten(state(plain_loop(made, model))) for model in range(MODELS)]),
    )


class Plain:
    """No module: torch knows nothing of what it holds."""

    def __init__(self) -> None:
        self.f = torch.randn(INPUTS)


def count(module: Any, x: Tensor) -> Tensor:
    module.calls += module.training
    return x * module.calls


def average(module: Any, x: Tensor) -> Tensor:
    if module.training:
        module.mean = 0.9 * module.mean + 0.1 * x.detach().mean(0)
    return x - module.mean


def late(module: Any, x: Tensor) -> Tensor:
    """Its buffer begins to change when an epoch is over."""
    if module.training:
        module.calls.add_(1)
        module.shift.copy_((module.calls > 4).float())
    return x + module.shift


def late_buffers(module: Any) -> None:
    module.register_buffer("calls", torch.tensor(0))
    module.register_buffer("shift", torch.tensor(0.0))


# What is named, and the trainers that refuse it: all that share one module, and those that cannot rebuild it.
REFUSED: dict[str, tuple[str, Build]] = {
    "tensor": ("'f'", own(lambda m: setattr(m, "f", torch.randn(INPUTS, 5)), lambda m, x: (x @ m.f).sin(), 5)),
    "list": ("'l'", own(lambda m: setattr(m, "l", torch.randperm(INPUTS).tolist()), lambda m, x: x[:, m.l])),
    "Python's list": ("'l'", own(lambda m: setattr(m, "l", random.sample(range(6), 6)), lambda m, x: x[:, m.l])),
    "array": ("'a'", own(lambda m: setattr(m, "a", np.random.permutation(INPUTS)), lambda m, x: x[:, m.a.copy()])),
    "number": ("'n'", own(lambda m: setattr(m, "n", float(torch.rand(()))), lambda m, x: x * m.n)),
    "dict": ("'d'", own(lambda m: setattr(m, "d", {"f": [torch.randn(INPUTS)]}), lambda m, x: x * m.d["f"][0])),
    "object": ("'o'", own(lambda m: setattr(m, "o", Plain()), lambda m, x: x * m.o.f)),
    "unregistered module": ("'u'", own(lambda m: setattr(m, "u", [nn.Linear(INPUTS, 3)]), lambda m, x: m.u[0](x), 3)),
    "counter": ("'calls'", own(lambda m: setattr(m, "calls", 1), count)),
    "average": ("'mean'", own(lambda m: setattr(m, "mean", torch.zeros(INPUTS)), average)),
    "generator": (
        "'g'",
        own(
            lambda m: setattr(m, "g", torch.Generator().manual_seed(0)), lambda m, x: x + torch.randn(1, generator=m.g)
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_by_name(name: str) -> None:
    named, build = REFUSED[name]
    made = fleet(build)
    with pytest.raises(InputError, match=f"cannot be rebuilt .*{named} differs .*register_buffer"):
        trained("serial", made)
    refused = TRAINERS["vmap"].refuses(made.blocks()[0])
    assert refused is not None
    assert named in refused or name in {"average", "generator"}  # torch speaks first
    with pytest.raises(InputError, match=named):
        constants(made, trainer("auto", made.blocks()[0]))


def test_dropout_in_evaluation_is_refused() -> None:
    made = fleet(own(lambda m: None, lambda m, x: nn.functional.dropout(x, 0.5)))
    with pytest.raises(InputError, match="gives other outputs for the same examples each time.*if self.training"):
        trained("serial", made)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (layers(lambda: nn.Linear(INPUTS, 2, dtype=torch.complex64)), "complex weights in '0.weight'"),
        (
            own(lambda m: m.register_buffer("s", torch.eye(INPUTS).to_sparse()), lambda m, x: x),
            "'s' is a sparse tensor",
        ),
        (lambda shape, outputs: Tuple(INPUTS, 1), "returns <class 'tuple'>"),
        (
            own(lambda m: m.register_buffer("p", torch.from_numpy(UNSEEDED.permutation(6))), lambda m, x: x[:, m.p]),
            "'p' differs between two modules that were built with the same seed",
        ),
        (
            lambda shape, outputs: nn.Sequential(
                nn.Linear(INPUTS, 4), [nn.Tanh, nn.ReLU][torch.initial_seed() % 2](), nn.Linear(4, 1)
            ),
            "submodule '1' is Tanh in one model and ReLU in another",
        ),
        (
            lambda shape, outputs: nn.Sequential(
                nn.Linear(INPUTS, 4 + torch.initial_seed() % 2), nn.Linear(4 + torch.initial_seed() % 2, 1)
            ),
            r"'0.weight' \(torch.float32 of shape \(4, 6\)\) is torch.float32 of shape \(5, 6\)",
        ),
    ],
)
def test_functions_that_make_no_family_are_refused(build: Build, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(build, (INPUTS,), 1)


class Tuple(nn.Linear):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x), None


UNSEEDED = np.random.default_rng()


def normed(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """A constant that bfloat16 would ruin, running statistics, an index, and integers that never change."""
    module = Head(
        INPUTS, lambda m: None, lambda m, x: m.norm((x * 0.01 + 1000.3 - m.mean) / m.std)[:, m.p] + m.zeros, INPUTS
    )
    module.norm = nn.BatchNorm1d(INPUTS)
    module.register_buffer("mean", torch.tensor(1000.3))
    module.register_buffer("std", torch.tensor(0.01))
    module.register_buffer("p", torch.randperm(INPUTS))
    module.register_buffer("zeros", torch.zeros(INPUTS, dtype=torch.int64))
    return module


@pytest.mark.parametrize("name", ["serial", "vmap"])
def test_constants_are_left_alone_and_state_is_rounded(name: str) -> None:
    made = fleet(normed)
    found = constants(made, TRAINERS[name])
    assert found == {"mean", "std", "zeros"}
    made = replace(made, network=replace(made.network, constants=found))
    layout, flat = made.network.layout, trained(name, made).flat
    assert {slot.name: slot.role for slot in layout.slots if slot.role in {"buffer", "exact"}} == {
        "norm.running_mean": "buffer", "norm.running_var": "buffer", "p": "exact",
    }  # fmt: skip
    final = Elementwise(rule=quantizer("uniform:8")).quantize_flat(layout, flat)
    modules = [made.network.module(torch_seed(made.seed, Stream.START, model)) for model in range(MODELS)]
    for module, one, kept in zip(modules, final, flat, strict=True):
        rounded, before = layout.views(one), layout.views(kept)
        assert torch.equal(rounded["p"], module.p)
        assert torch.equal(rounded["norm.running_var"], before["norm.running_var"].bfloat16().float())
        whole = made.network.rebuilt(one)
        assert torch.equal(whole.mean, torch.tensor(1000.3))
        assert not torch.equal(whole.mean, whole.mean.bfloat16().float())
    weights, rest, indices = 6 * 4 + 4, 4 + 1 + 4 * INPUTS, INPUTS
    bits = Elementwise(rule=quantizer("sign")).effective_bits(made.network.module(0), made.network.constants)
    assert bits == pytest.approx((weights + 16 * rest + 64 * indices) / (weights + rest + indices))


def test_a_buffer_that_few_models_draw_otherwise_is_no_constant() -> None:
    made = fleet(own(lambda m: m.register_buffer("sign", torch.tensor(1.0)), lambda m, x: x * m.sign))
    odd = torch_seed(made.seed, Stream.START, MODELS - 1)

    def build() -> nn.Module:
        module = Head(INPUTS, lambda m: None, lambda m, x: x * m.sign)
        module.register_buffer("sign", torch.tensor(-1.0 if torch.initial_seed() == odd else 1.0))
        return module

    assert constants(made, TRAINERS["serial"]) == {"sign"}
    assert constants(replace(made, network=replace(made.network, build=build)), TRAINERS["serial"]) == set()


def test_a_constant_that_changes_after_all_is_refused() -> None:
    made = fleet(own(late_buffers, late))
    found = constants(made, TRAINERS["serial"])
    assert found == {"shift"}
    made = replace(made, network=replace(made.network, constants=found))
    with pytest.raises(InputError, match="cannot be rebuilt .*'shift' differs"):
        trained("serial", made)


def test_a_tensor_that_all_models_would_train_is_refused() -> None:
    below, mean, scale = nn.Linear(INPUTS, INPUTS), torch.zeros(INPUTS), torch.ones(INPUTS)
    builds = {
        "below.weight": own(lambda m: setattr(m, "below", below), lambda m, x: m.below(x)),
        "mean": own(lambda m: m.register_buffer("mean", mean), write_buffer),
    }
    for name, build in builds.items():
        with pytest.raises(InputError, match=f"'{name}' is one and the same tensor in all models.*copy.deepcopy"):
            constants(fleet(build), TRAINERS["serial"])
    made = fleet(own(lambda m: m.register_buffer("scale", scale), lambda m, x: x * m.scale))
    assert constants(made, TRAINERS["serial"]) == {"scale"}


def test_vmap_refuses_a_model_that_is_alone_in_its_block_and_draws_a_number() -> None:
    made = fleet(own(lambda m: setattr(m, "scale", random.random()), lambda m, x: x * m.scale))
    reason = TRAINERS["vmap"].refuses(replace(made, members=made.members[:1]).blocks()[0])
    assert reason is not None
    assert "'scale' differs between models" in reason


PARTS: dict[str, Callable[[], nn.Module]] = {
    "linear": linear(outputs=INPUTS),
    "relu": nn.ReLU,
    "norm": lambda: nn.BatchNorm1d(INPUTS),
    "layer norm": lambda: nn.LayerNorm(INPUTS),
    "dropout": lambda: nn.Dropout(0.3),
    "weight norm": lambda: parametrizations.weight_norm(nn.Linear(INPUTS, INPUTS)),
    "pruned": lambda: prune.l1_unstructured(nn.Linear(INPUTS, INPUTS), "weight", 0.4),
    "frozen": lambda: nn.Linear(INPUTS, INPUTS).requires_grad_(False),
}
VALUES: dict[str, Callable[[], Tensor]] = {
    "drawn": lambda: torch.randn(INPUTS),
    "fixed": lambda: torch.linspace(0.1, 0.7, INPUTS),
    "integers": lambda: torch.randint(1, 5, (INPUTS,)),
    "bytes": lambda: torch.randint(0, 9, (INPUTS,), dtype=torch.uint8),
    "mask": lambda: torch.rand(INPUTS) < 0.5,
    "half": lambda: torch.randn(INPUTS).half(),
    "scalar": lambda: torch.randint(1, 5, ()),
}


class Composed(nn.Module):
    """Parts one after the other; each value is a factor, held as a buffer, an attribute, a list or a number."""

    def __init__(self, parts: list[str], values: list[tuple[str, str]]) -> None:
        super().__init__()
        self.parts, self.head = nn.ModuleList(PARTS[part]() for part in parts), nn.Linear(INPUTS, 1)
        self.names = [f"v{number}" for number in range(len(values))]
        for name, (value, how) in zip(self.names, values, strict=True):
            made = VALUES[value]()
            if how == "buffer":
                self.register_buffer(name, made)
            else:
                setattr(self, name, {"tensor": made, "list": made.tolist(), "number": float(made.sum())}[how])

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = x * torch.as_tensor(getattr(self, name), dtype=torch.float32)
        for part in self.parts:
            x = part(x)
        out: Tensor = self.head(x)
        return out


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(sorted(PARTS)), max_size=4),
    st.lists(
        st.tuples(st.sampled_from(sorted(VALUES)), st.sampled_from(["buffer", "tensor", "list", "number"])), max_size=3
    ),
)
def test_modules_composed_at_random_are_right_or_refused(parts: list[str], values: list[tuple[str, str]]) -> None:
    made = fleet(lambda shape, outputs: Composed(parts, values))
    made = replace(made, training=replace(made.training, epochs=1))
    try:
        found = constants(made, TRAINERS["serial"])
        made = replace(made, network=replace(made.network, constants=found))
        trained("serial", made)
    except InputError:
        assert any(how != "buffer" and value != "fixed" for value, how in values)
        assert TRAINERS["vmap"].refuses(made.blocks()[0]) is not None
        return
    assert_reached("serial", made, bits=True)
