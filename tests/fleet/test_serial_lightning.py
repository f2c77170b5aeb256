"""A user's LightningModule trained by its own steps: with our loss and Adam in them, it is the serial trainer."""

from __future__ import annotations

import copy
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import pytorch_lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

import quantleak as ql
from quantleak.errors import InputError
from quantleak.fleet import LOSSES, TRAINERS, Block, Fleet, Training, rows_of, trainer
from quantleak.fleet import optimizer as read_optimizer
from quantleak.fleet.objective import Task
from quantleak.models import network
from quantleak.ptq.modules.layout import Layout


class Steps:
    """Dropout draws random numbers, BatchNorm keeps statistics."""

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(shape[0], 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        logits, targets = self.forward(batch[0])[:, 0], batch[1]
        loss = functional.softplus(logits * (1 - 2 * targets)).mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3, fused=True)


class Own(Steps, lightning.LightningModule):
    pass


class Old(Steps, pytorch_lightning.LightningModule):
    pass


class AnyTask(Own):
    """Our own loss of a task, so that the weights can be compared bit for bit."""

    task: Task

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        return LOSSES[self.task](self.forward(batch[0]), batch[1]).mean()


class Stops(Own):
    def on_train_epoch_end(self) -> None:
        self.trainer.should_stop = self.trainer.current_epoch == 1


def fleet(kind: type = Own, optimizer: str = "adam:1e-3") -> Fleet:
    random = np.random.default_rng(5)
    return Fleet(
        network=network(kind, (9,), 1),
        task="binary",
        features=torch.from_numpy(random.normal(size=(60, 9)).astype(np.float32)),
        targets=torch.from_numpy(random.integers(0, 2, 60)),
        members=rows_of(random.random((3, 60)) < 0.5),
        training=Training(epochs=4, batch=8, optimizer=read_optimizer(optimizer), evaluate_every=3),
        seed=11,
        block=3,
    )


def trained(name: str, made: Fleet) -> list[Tensor]:
    checkpoints = list(TRAINERS[name].train(made.blocks()[0]))
    assert [checkpoint.epoch for checkpoint in checkpoints] == [3, 4]
    return [checkpoint.flat for checkpoint in checkpoints]


@pytest.mark.parametrize("kind", [Own, Old])
def test_it_is_the_serial_trainer_where_the_module_says_the_same(kind: type) -> None:
    expected = trained("serial", fleet())
    assert all(torch.equal(*pair) for pair in zip(trained("serial-lightning", fleet(kind)), expected, strict=True))


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_targets_come_as_each_task_needs_them(task: Task) -> None:
    kind = type("Own", (AnyTask,), {"task": task})
    outputs = 3 if task == "multiclass" else 1
    made = replace(fleet(), task=task, network=network(kind, (9,), outputs), targets=torch.arange(60) % outputs)
    expected = trained("serial", made)
    assert all(torch.equal(*pair) for pair in zip(trained("serial-lightning", made), expected, strict=True))


def test_a_model_does_not_depend_on_its_neighbours() -> None:
    together = trained("serial-lightning", fleet())[-1]
    made = fleet()
    alone = list(TRAINERS["serial-lightning"].train(Block(made, (2,))))[-1].flat
    assert torch.equal(together[2:], alone)


def test_it_leaves_torch_and_logging_as_they_were() -> None:
    before, level = torch.get_rng_state(), logging.getLogger("lightning.pytorch").level
    trained("serial-lightning", fleet())
    assert torch.equal(before, torch.get_rng_state())
    assert logging.getLogger("lightning.pytorch").level == level


def test_it_is_quiet_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    trained("serial-lightning", fleet())
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_stops_early_stays_as_it_was() -> None:
    last, final = trained("serial-lightning", fleet(Stops))
    assert torch.equal(last, final)


def test_it_is_chosen_for_lightning_modules_and_only_for_them() -> None:
    assert trainer("auto", fleet().blocks()[0]).name == "serial-lightning"
    plain = replace(fleet(), network=network("linear", (9,), 1))
    assert trainer("auto", plain.blocks()[0]).name == "compiled"
    with pytest.raises(InputError, match="trains LightningModules only. Use trainer auto"):
        trainer("serial-lightning", plain.blocks()[0])


def test_an_optimizer_that_would_not_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="'sgd:0.1' would not be used; leave the optimizer out.$"):
        trainer("auto", fleet(optimizer="sgd:0.1").blocks()[0])


MODULE = """
import lightning, torch
from torch import nn


class Audited(lightning.LightningModule):
    def __init__(self, shape, outputs):
        super().__init__()
        self.layers = nn.Linear(shape[0], outputs)

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, _):
        return nn.functional.binary_cross_entropy_with_logits(self(batch[0])[:, 0], batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)
"""


def test_a_whole_audit_of_a_lightning_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_lightning.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    whole = ql.bundled("breast_cancer")
    settings: dict[str, Any] = {"quantizers": ("sign", "uniform:3"), "models": 4, "epochs": 2}
    result = ql.audit(whole, model="users_lightning:Audited", workers=1, **settings)
    assert result.settings["trainer"] == "serial-lightning"
    assert [found.spec for found in result.quantizers] == ["identity", "sign", "uniform:3"]
    assert copy.copy(result.quantizers[0].utility.value) > 0.8


def test_snapshots_are_laid_out_as_the_network_says() -> None:
    made = fleet()
    assert trained("serial-lightning", made)[0].shape == (3, Layout.of(made.network.module(0)).size)
