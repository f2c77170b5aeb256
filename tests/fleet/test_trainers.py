"""One question to all trainers: do they reach the weights of a plain loop over one module at a time?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.fleet import TRAINERS, Block, Fleet, Training, rows_of, trainer
from quantleak.fleet import optimizer as read_optimizer
from quantleak.fleet.batches import ModelBatches
from quantleak.fleet.objective import Task
from quantleak.models import Network, network
from quantleak.ptq.modules.layout import Layout
from quantleak.rng import Stream, model_stream, torch_seed

PLAIN = ["stacked", "vmap", "serial"]  # serial-lightning has a file of its own, compiled takes linear models only
OPTIMIZERS = ["adam:1e-2", "adamw:1e-2?weight_decay=0.1", "sgd:0.1?momentum=0.9&weight_decay=1e-3", "sgd:0.05"]


def convolution(shape: tuple[int, ...], outputs: int) -> nn.Module:
    # No bias before BatchNorm: its gradient is zero but for rounding, which Adam would turn into steps of full size.
    return nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, outputs)
    )


class WithDropout(nn.Module):
    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(shape[0], 9), nn.Linear(9, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.above(nn.functional.dropout(self.below(x).tanh(), 0.4, self.training))
        return out


def fleet(
    spec: str | Callable[..., nn.Module] = "mlp:7",
    *,
    task: Task = "binary",
    shape: tuple[int, ...] = (12,),
    optimizer: str = "adam:1e-2",
    equal: bool = False,
) -> Fleet:
    random = np.random.default_rng(5)
    examples, models = 90, 5
    features = torch.from_numpy(random.normal(size=(examples, *shape)).astype(np.float32))
    if task == "regression":
        targets = torch.from_numpy(random.normal(size=examples))
    else:
        targets = torch.from_numpy(random.integers(0, 2 if task == "binary" else 3, examples))
    member = random.random((models, examples)) < 0.5
    if equal:
        member = random.permuted(np.tile(np.arange(examples) < 44, (models, 1)), axis=1)
    return Fleet(
        network=network(spec, shape, 3 if task == "multiclass" else 1),
        task=task,
        features=features,
        targets=targets,
        members=rows_of(member),
        training=Training(epochs=4, batch=16, optimizer=read_optimizer(optimizer), evaluate_every=3),
        seed=11,
        block=5,
    )


def plain_loop(made: Fleet, model: int) -> list[Tensor]:
    """The oracle: torch's own modules, losses and unfused optimizers, one model, written as anyone would."""
    module = made.network.module(torch_seed(made.seed, Stream.START, model)).train()
    settings = made.training.optimizer
    kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    extra = {"momentum": settings.momentum} if settings.name == "sgd" else {}
    optimizer = kinds[settings.name](
        module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, **extra
    )
    batches = ModelBatches(made.members[model], made.steps, model_stream(made.seed, Stream.BATCHES, model))
    seen = []
    for epoch in range(1, made.training.epochs + 1):
        order = batches.epoch()
        torch.manual_seed(torch_seed(made.seed, Stream.FORWARD, model, epoch))
        for first, last in zip(batches.edges[:-1], batches.edges[1:], strict=True):
            rows = torch.from_numpy(order[first:last].copy())
            optimizer.zero_grad()
            outputs, targets = module(made.features[rows]), made.targets[rows]
            if made.task == "binary":
                loss = nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.float())
            elif made.task == "multiclass":
                loss = nn.functional.cross_entropy(outputs, targets)
            else:
                loss = nn.functional.mse_loss(outputs[:, 0], targets.float())
            loss.backward()
            optimizer.step()
        if epoch in (3, 4):
            seen.append(Layout.of(module).flatten({**dict(module.named_parameters()), **dict(module.named_buffers())}))
    return seen


def assert_same_weights(name: str, made: Fleet) -> None:
    block = made.blocks()[0]
    reason = TRAINERS[name].refuses(block)
    assert reason is None, reason
    with torch.random.fork_rng():
        expected = [plain_loop(made, model) for model in block.models]
    checkpoints = list(TRAINERS[name].train(block))
    assert [c.epoch for c in checkpoints] == [3, 4]
    for number, checkpoint in enumerate(checkpoints):
        truth = torch.stack([seen[number] for seen in expected])
        torch.testing.assert_close(checkpoint.flat, truth, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("spec", ["linear", "linear?bias=false", "mlp:7", "mlp:6,5"])
def test_linear_models_and_perceptrons(name: str, spec: str, optimizer: str) -> None:
    assert_same_weights(name, fleet(spec, optimizer=optimizer))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("spec", ["linear", "linear?bias=false"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_compiled_loop_on_linear_models_of_one_output(task: Task, spec: str, optimizer: str) -> None:
    assert_same_weights("compiled", fleet(spec, task=task, optimizer=optimizer))


def test_the_compiled_loop_is_the_same_however_many_epochs_are_handed_over_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = fleet("linear", optimizer="adamw:1e-2?weight_decay=0.1")
    block = replace(made, training=replace(made.training, epochs=7)).blocks()[0]
    once = list(TRAINERS["compiled"].train(block))
    monkeypatch.setattr("quantleak.fleet.compiled._BYTES", 1)
    pieces = list(TRAINERS["compiled"].train(block))
    assert [c.epoch for c in once] == [c.epoch for c in pieces] == [3, 6, 7]
    assert all(torch.equal(one.flat, two.flat) for one, two in zip(once, pieces, strict=True))


def test_a_model_of_the_compiled_loop_does_not_depend_on_the_rest_of_the_block() -> None:
    made = fleet("linear")
    together = list(TRAINERS["compiled"].train(made.blocks()[0]))[-1].flat
    apart = [list(TRAINERS["compiled"].train(Block(made, (m,))))[-1].flat[0] for m in range(5)]
    assert torch.equal(together, torch.stack(apart))


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("task", ["multiclass", "regression"])
@pytest.mark.parametrize("equal", [True, False])
def test_other_tasks_and_unequal_memberships(name: str, task: str, equal: bool) -> None:
    assert_same_weights(name, fleet("mlp:7", task=task, equal=equal))


@pytest.mark.parametrize("name", ["vmap", "serial"])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("optimizer", ["adam:1e-2", "sgd:0.1?momentum=0.9"])
def test_convolution_with_batch_norm(name: str, equal: bool, optimizer: str) -> None:
    made = fleet(convolution, task="multiclass", shape=(2, 6, 6), equal=equal, optimizer=optimizer)
    assert made.network.start(0).numel() == 2 * 4 * 9 + 2 * 4 + 64 * 3 + 3 + 2 * 4  # running statistics too
    assert_same_weights(name, made)


def test_a_users_module_with_dropout() -> None:
    assert_same_weights("serial", fleet(WithDropout))


def test_trainers_say_what_they_cannot_train() -> None:
    with pytest.raises(InputError, match="'stacked' cannot train .* linear models and perceptrons"):
        trainer("stacked", fleet(WithDropout).blocks()[0])
    for other in (fleet("mlp:7"), fleet("linear", task="multiclass")):
        with pytest.raises(InputError, match="'compiled' cannot train .* linear models of one output"):
            trainer("compiled", other.blocks()[0])
    with pytest.raises(InputError, match="'vmap' cannot train .* random"):
        trainer("vmap", fleet(WithDropout).blocks()[0])
    with pytest.raises(InputError, match="Did you mean 'serial'"):
        trainer("seriel", fleet().blocks()[0])


def test_auto_takes_a_closed_form_where_it_can_and_times_the_others() -> None:
    assert trainer("auto", fleet("linear").blocks()[0]).name == "compiled"
    assert trainer("auto", fleet("linear", task="multiclass").blocks()[0]).name == "stacked"
    assert trainer("auto", fleet().blocks()[0]).name == "stacked"
    assert trainer("auto", fleet(WithDropout).blocks()[0]).name == "serial"
    assert trainer("auto", fleet(convolution, shape=(2, 6, 6)).blocks()[0]).name in {"vmap", "serial"}


@pytest.mark.parametrize("name", PLAIN)
def test_same_block_same_bits(name: str) -> None:
    block = fleet("mlp:7").blocks()[0]
    one, two = (list(TRAINERS[name].train(block))[-1].flat for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("name", PLAIN)
def test_models_do_not_depend_on_the_rest_of_the_fleet_beyond_rounding(name: str) -> None:
    made = fleet("mlp:7", equal=True)
    together = list(TRAINERS[name].train(made.blocks()[0]))[-1].flat
    apart = [list(TRAINERS[name].train(Block(made, (m,))))[-1].flat[0] for m in range(5)]
    torch.testing.assert_close(together, torch.stack(apart), rtol=1e-4, atol=1e-6)


def test_wide_models_are_trained_in_tiles_of_one() -> None:
    made = replace(fleet("mlp:3000", shape=(20,)), training=Training(epochs=4, batch=16, evaluate_every=3))
    assert made.network.start(0).numel() * 16 > 1 << 20
    assert_same_weights("stacked", replace(made, training=replace(made.training, optimizer=read_optimizer("sgd:0.01"))))


def test_a_model_without_members_is_refused() -> None:
    made = fleet()
    with pytest.raises(InputError, match=r"Models \[1\] have no training examples"):
        replace(made, members=(made.members[0], np.array([], dtype=np.int64)))


@pytest.mark.parametrize("row", [-1, 90])
def test_rows_outside_the_examples_are_refused(row: int) -> None:
    made = fleet()
    with pytest.raises(InputError, match=r"Models \[4\] have rows outside the 90 examples"):
        replace(made, members=(*made.members[:4], np.array([0, row])))


@pytest.mark.parametrize("examples", [1, 7, 9])
def test_vmap_is_tried_on_however_few_examples_there_are(examples: int) -> None:
    made = fleet("mlp:7")
    few = replace(
        made,
        features=made.features[:examples],
        targets=made.targets[:examples],
        members=(np.arange(examples, dtype=np.int64),) * 5,
    )
    assert TRAINERS["vmap"].refuses(few.blocks()[0]) is None
    assert next(iter(TRAINERS["vmap"].train(few.blocks()[0]))).flat.shape[0] == 5


class FailsInTraining(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.linear, self.error = nn.Linear(12, 1), error

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise self.error
        out: Tensor = self.linear(x)
        return out


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: FailsInTraining(KeyError("mask")), "'mask'"),
        (lambda: FailsInTraining(RuntimeError("first\nsecond")), "first"),
        (lambda: FailsInTraining(AssertionError()), "AssertionError"),
        (lambda: nn.Sequential(nn.Flatten()), ""),
    ],
)
def test_whatever_a_module_raises_vmap_refuses_it(build: Callable[[], nn.Module], reason: str) -> None:
    made = replace(fleet(), network=Network(spec="own", build=build, input_shape=(12,), outputs=1))
    refusal = TRAINERS["vmap"].refuses(made.blocks()[0])
    assert refusal is not None
    assert refusal.startswith("vmap cannot run this module: ")
    assert "\n" not in refusal
    assert refusal.endswith(reason)
