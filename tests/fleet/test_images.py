"""Schedule, augmentation, precision and memory layout, against loops of torch's own modules and optimizers."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from quantleak.errors import InputError
from quantleak.fleet import TRAINERS, Block, Fleet, Training, augment, constants, optimizer, rows_of, trainer
from quantleak.fleet.batches import ModelBatches
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout, state
from quantleak.rng import Stream, model_stream, torch_seed

SGDS = ["sgd:0.05", "sgd:0.05?momentum=0.9", "sgd:0.05?momentum=0.9&weight_decay=0.001&nesterov=true"]
EPOCHS = 5


class Flattened(nn.Module):
    """A convolution whose output is flattened by `view`, which needs the usual memory layout."""

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(shape[0], 4, 3, padding=1)
        self.head = nn.Linear(4 * shape[1] * shape[2], outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.convolution(x).relu().view(len(x), -1))
        return out


def fleet(model: Any = "resnet:8?width=2", shape: tuple[int, ...] = (3, 8, 8), **settings: Any) -> Fleet:
    draws = np.random.default_rng(5)
    examples, models, classes = 60, 3, 3 if len(shape) == 3 or model == "mlp:7" else 1
    usual: dict[str, Any] = {"epochs": EPOCHS, "batch": 16, "optimizer": optimizer(SGDS[1]), "evaluate_every": 3}
    return Fleet(
        network=network(model, shape, classes),
        task="multiclass" if classes > 1 else "binary",
        features=torch.from_numpy(draws.normal(size=(examples, *shape)).astype(np.float32)),
        targets=torch.from_numpy(draws.integers(0, max(classes, 2), examples)),
        members=rows_of(draws.permuted(np.tile(np.arange(examples) < 30, (models, 1)), axis=1)),
        training=Training(**(usual | settings)),
        seed=11,
        block=models,
    )


def plain_loop(made: Fleet, model: int) -> list[Tensor]:
    """The oracle: torch's SGD and cosine schedule, images padded, cropped and flipped one by one, the usual layout."""
    module = made.network.module(torch_seed(made.seed, Stream.START, model)).train()
    settings, training = made.training.optimizer, made.training
    steps = torch.optim.SGD(
        module.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=settings.nesterov,
        foreach=False,
    )
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(steps, T_max=training.epochs)
    batches = ModelBatches(made.members[model], made.steps, model_stream(made.seed, Stream.BATCHES, model))
    seen = []
    for epoch in range(1, training.epochs + 1):
        order = batches.epoch()
        draws = torch.Generator().manual_seed(torch_seed(made.seed, Stream.AUGMENT, model, epoch))
        for first, last in zip(batches.edges[:-1], batches.edges[1:], strict=True):
            rows = torch.from_numpy(order[first:last].copy())
            inputs = made.features[rows]
            if training.augment.spec == "flip,crop:2":
                mirrored = torch.rand(len(rows), generator=draws)
                shifts = torch.randint(5, (2, len(rows)), generator=draws)
                changed = []
                for image, draw, i, j in zip(inputs, mirrored, *shifts, strict=True):
                    padded = F.pad(image.flip(2) if draw < 0.5 else image, (2, 2, 2, 2))
                    changed.append(padded[:, int(i) : int(i) + 8, int(j) : int(j) + 8])
                inputs = torch.stack(changed)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=training.precision == "bfloat16"):
                outputs = module(inputs)
            if made.task == "multiclass":
                loss = F.cross_entropy(outputs.float(), made.targets[rows])
            else:
                loss = F.binary_cross_entropy_with_logits(outputs.float()[:, 0], made.targets[rows].float())
            steps.zero_grad()
            loss.backward()
            steps.step()
        if training.schedule == "cosine":
            cosine.step()
        if training.evaluated(epoch):
            seen.append(Layout.of(module).flatten(state(module)))
    return seen


def assert_same_weights(name: str, made: Fleet, rtol: float = 2e-4, atol: float = 2e-5) -> None:
    block = made.blocks()[0]
    assert TRAINERS[name].refuses(block) is None
    with torch.random.fork_rng():
        expected = [plain_loop(made, model) for model in block.models]
    checkpoints = list(TRAINERS[name].train(block))
    assert [checkpoint.epoch for checkpoint in checkpoints] == [3, 5]
    for number, checkpoint in enumerate(checkpoints):
        truth = torch.stack([seen[number] for seen in expected])
        torch.testing.assert_close(checkpoint.flat, truth, rtol=rtol, atol=atol)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("spec", SGDS)
@pytest.mark.parametrize(
    ("name", "model"), [("compiled", "linear"), ("stacked", "mlp:7"), ("vmap", "mlp:7"), ("serial", "mlp:7")]
)
def test_vectors_with_each_schedule_and_kind_of_momentum(name: str, model: str, spec: str, schedule: str) -> None:
    assert_same_weights(name, fleet(model, (6,), optimizer=optimizer(spec), schedule=schedule))


def test_the_compiled_loop_follows_the_schedule_however_many_epochs_it_runs_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quantleak.fleet.compiled._BYTES", 1)
    assert_same_weights("compiled", fleet("linear", (6,), schedule="cosine"))


@pytest.mark.parametrize("transforms", ["", "flip,crop:2"])
@pytest.mark.parametrize("model", ["resnet:8?width=2", "conv:3,4", Flattened])
def test_images_with_and_without_augmentation(model: Any, transforms: str) -> None:
    made = fleet(model, augment=augment(transforms), schedule="cosine", optimizer=optimizer("sgd:0.02?momentum=0.5"))
    assert_same_weights("serial", made, rtol=1e-3, atol=2e-4)


def test_bfloat16_is_autocast_with_weights_and_loss_in_float32() -> None:
    settings: dict[str, Any] = {"optimizer": optimizer("sgd:0.01"), "augment": augment("flip,crop:2")}
    made = fleet("conv:3,4", precision="bfloat16", **settings)
    # Sums of products rounded to 8 bits come in another order in another layout.
    assert_same_weights("serial", made, rtol=2e-2, atol=5e-3)
    halves = list(TRAINERS["serial"].train(made.blocks()[0]))[-1].flat
    whole = list(TRAINERS["serial"].train(fleet("conv:3,4", **settings).blocks()[0]))[-1].flat
    assert not torch.equal(halves, whole)
    weights = halves[:, : 3 * 3 * 9]
    assert not torch.equal(weights, weights.bfloat16().float())


class Records(nn.Module):
    """A convolution that writes down the layout and dtype it is called with."""

    seen: tuple[set[bool], set[torch.dtype]] = (set(), set())

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.convolution, self.head = nn.Conv2d(shape[0], 4, 3), nn.Linear(4, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out = self.convolution(x)
        if self.training and len(x) > 2:
            self.seen[0].add(x.is_contiguous(memory_format=torch.channels_last))
            self.seen[0].add(self.convolution.weight.is_contiguous(memory_format=torch.channels_last))
            self.seen[1].add(out.dtype)
        logits: Tensor = self.head(out.mean((2, 3)))
        return logits


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_images_lie_channels_last_in_either_precision(precision: str, dtype: torch.dtype) -> None:
    Records.seen[0].clear()
    Records.seen[1].clear()
    list(TRAINERS["serial"].train(fleet(Records, precision=precision).blocks()[0]))
    assert Records.seen == ({True}, {dtype})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["resnet:8?width=2", Flattened])
def test_a_model_trained_one_by_one_has_the_same_bits_alone_and_in_a_block(model: Any, precision: str) -> None:
    made = fleet(model, augment=augment("flip,crop:2"), precision=precision)
    together = [checkpoint.flat for checkpoint in TRAINERS["serial"].train(made.blocks()[0])]
    for number in range(3):
        alone = [checkpoint.flat[0] for checkpoint in TRAINERS["serial"].train(Block(made, (number,)))]
        assert all(torch.equal(one[number], other) for one, other in zip(together, alone, strict=True))
    assert {name for name, one in TRAINERS.items() if one.one_by_one} == {"serial", "serial-lightning"}


def test_each_model_and_epoch_draws_its_own_transforms() -> None:
    made = fleet("conv:3", augment=augment("flip,crop:2"), optimizer=optimizer("sgd:0.01"), batch=30)
    same = replace(made, members=(made.members[0],) * 3)
    drawn = [
        torch.Generator().manual_seed(torch_seed(same.seed, Stream.AUGMENT, model, epoch)).initial_seed()
        for model in range(3)
        for epoch in range(1, 4)
    ]
    assert len(set(drawn)) == 9
    plain = fleet("conv:3", optimizer=optimizer("sgd:0.01"), batch=30)
    one, two = (list(TRAINERS["serial"].train(each.blocks()[0]))[-1].flat for each in (made, plain))
    assert not torch.equal(one, two)


def test_where_only_the_last_epoch_is_evaluated_one_model_is_in_memory_at_a_time() -> None:
    living: weakref.WeakSet[nn.Module] = weakref.WeakSet()
    most = 0

    class Counted(nn.Module):
        def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
            super().__init__()
            self.head = nn.Linear(shape[0], outputs)

        def forward(self, x: Tensor) -> Tensor:
            nonlocal most
            if self.training:
                living.add(self)
                most = max(most, len(living))
            out: Tensor = self.head(x)
            return out

    made = fleet(Counted, (6,), evaluate_every=EPOCHS)
    gc.collect()
    living.clear()
    most = 0
    list(TRAINERS["serial"].train(made.blocks()[0]))
    assert most == 1


class Own(lightning.LightningModule):
    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.head = nn.Linear(shape[0], outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(x)
        return out


@pytest.mark.parametrize(
    ("name", "model", "shape", "settings", "message"),
    [
        ("vmap", "conv:3", (3, 8, 8), {"augment": "flip"}, "vmap has no augment 'flip'; serial has"),
        ("vmap", "mlp:7", (6,), {"precision": "bfloat16"}, "vmap has no precision 'bfloat16'; serial has"),
        ("stacked", "mlp:7", (6,), {"precision": "bfloat16"}, "stacked has no precision 'bfloat16'"),
        ("compiled", "linear", (6,), {"precision": "bfloat16"}, "compiled has no precision 'bfloat16'"),
        (
            "vmap",
            "conv:3",
            (3, 8, 8),
            {"augment": "crop:2", "precision": "bfloat16"},
            "no augment 'crop:2' and precision 'bfloat16'",
        ),
        (
            "auto",
            Own,
            (6,),
            {"schedule": "cosine", "optimizer": "adam:1e-3"},
            "trains by its own steps, and schedule 'cosine' would not be used; write it into the module",
        ),
    ],
)
def test_what_a_trainer_does_not_follow_it_refuses(
    name: str, model: Any, shape: tuple[int, ...], settings: dict[str, str], message: str
) -> None:
    readers: dict[str, Any] = {"augment": augment, "optimizer": optimizer}
    made = fleet(model, shape, **{key: readers.get(key, str)(value) for key, value in settings.items()})
    with pytest.raises(InputError, match=message):
        trainer(name, made.blocks()[0])


@pytest.mark.parametrize(
    ("model", "shape", "settings", "chosen"),
    [
        ("resnet:8?width=2", (3, 8, 8), {}, "serial"),
        ("conv:3", (3, 8, 8), {"precision": "bfloat16"}, "serial"),
        ("mlp:7", (6,), {"precision": "bfloat16"}, "serial"),
        ("mlp:7", (6,), {"schedule": "cosine"}, "stacked"),
    ],
)
def test_auto_trains_images_serially_without_timing(
    model: str, shape: tuple[int, ...], settings: dict[str, str], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(*_: object) -> float:
        raise AssertionError("timed")

    monkeypatch.setattr("quantleak.fleet.choose._seconds", timed)
    assert trainer("auto", fleet(model, shape, **settings).blocks()[0]).name == chosen


@pytest.mark.parametrize(
    ("shape", "transforms", "message"),
    [
        ((6,), "flip", r"Augmentation 'flip' changes images \[channels, height, width\], but .* \(6,\)"),
        ((3, 8, 8), "crop:8", r"crop:8 can move the whole image out of sight: .*\(3, 8, 8\)"),
    ],
)
def test_examples_that_cannot_be_augmented_are_refused(shape: tuple[int, ...], transforms: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fleet("linear" if len(shape) == 1 else "conv:3", shape, augment=augment(transforms))


def test_constants_are_found_in_a_network_of_images() -> None:
    class Standardised(nn.Sequential):
        def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
            super().__init__(nn.Conv2d(shape[0], 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(108, outputs))
            self.register_buffer("mean", torch.full((3, 1, 1), 0.5))

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = super().forward(x - self.mean)
            return out

    assert constants(fleet(Standardised), TRAINERS["serial"]) == {"mean"}


@pytest.mark.parametrize(("extra", "images"), [(False, 2 * 4), (True, 30)])
def test_two_steps_are_enough_to_know_that_batch_norm_has_no_constants(
    extra: bool, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(shape: tuple[int, ...], outputs: int) -> nn.Module:
        module = nn.Sequential(nn.Conv2d(shape[0], 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(108, outputs))
        if extra:
            module.register_buffer("mean", torch.zeros(3))
        return module

    trained_on = []
    made = fleet(build, batch=4)
    epoch = ModelBatches.epoch

    def counted(self: ModelBatches) -> np.ndarray:
        trained_on.append(len(order := epoch(self)))
        return order

    monkeypatch.setattr(ModelBatches, "epoch", counted)
    assert constants(made, TRAINERS["serial"]) == ({"mean"} if extra else frozenset())
    assert trained_on == [images, images]
