"""Plain loop, callback and wrapper: one number, whatever the trainer does around them."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning
import pandas as pd
import pytest
import pytorch_lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from quantleak.errors import InputError
from quantleak.integrations.lightning import QuantizationPrivacyCallback, QuantizationPrivacyWrapper
from quantleak.trajectory import TrackedRates, TrajectoryTracker

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*number of training batches:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*have no `val_dataloader`:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),  # Lightning calls what torch has deprecated
]
EPOCHS = 4
QUIET = {
    "max_epochs": EPOCHS, "accelerator": "cpu", "logger": False, "enable_checkpointing": False,
    "enable_progress_bar": False, "enable_model_summary": False,
}  # fmt: skip


def data() -> TensorDataset:
    random = torch.Generator().manual_seed(0)
    return TensorDataset(torch.randn(90, 6, generator=random), torch.randint(0, 2, (90,), generator=random).float())


def train_loader() -> DataLoader[Any]:
    return DataLoader(data(), batch_size=16)


def validation_loader() -> DataLoader[Any]:
    return DataLoader(data(), batch_size=40)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


class Steps:
    """What the LightningModules of both packages share."""

    network: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x)[:, 0]
        return out

    def training_step(self, batch: Any, _: int) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(self.forward(batch[0]), batch[1])

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("validation", self.training_step(batch, 0))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.network.parameters(), lr=1e-2)


class Module(Steps, lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()


class OldModule(Steps, pytorch_lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()


def plain_loop(accumulate: int = 1, autocast: bool = False, dtype: torch.dtype = torch.float32) -> TrackedRates:
    """Training as anyone would write it, with the tracker in it."""
    model = network().to(dtype)
    tracker = TrajectoryTracker(loss="binary")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(EPOCHS):
        model.train()
        batches = [(x.to(dtype), y.to(dtype)) for x, y in train_loader()]
        for number, (x, y) in enumerate(batches, 1):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                loss = nn.functional.binary_cross_entropy_with_logits(model(x)[:, 0], y)
            (loss / accumulate).backward()
            if number % accumulate == 0 or number == len(batches):
                optimizer.step()
                optimizer.zero_grad()
        tracker.update(model, validation_loader())
    return tracker.compute()


def by_callback(module: Any = None, package: Any = lightning, **settings: Any) -> TrackedRates:
    tracker = TrajectoryTracker(loss="binary")
    trainer = package.Trainer(**QUIET | settings, callbacks=[QuantizationPrivacyCallback(tracker)])
    trainer.fit(module or Module(), train_loader(), validation_loader())
    return tracker.compute()


def by_wrapper(module: Any, package: Any = lightning) -> TrackedRates:
    tracker = TrajectoryTracker(loss="binary")
    package.Trainer(**QUIET).fit(QuantizationPrivacyWrapper(module, tracker), train_loader(), validation_loader())
    return tracker.compute()


def test_loop_callback_and_wrapper_agree_bit_for_bit() -> None:
    expected = plain_loop()
    assert expected["sign"].r_q.elements == EPOCHS
    for found in (by_callback(), by_wrapper(Module())):
        assert found == expected
        for spec, rates in expected.rates.items():
            assert torch.equal(found[spec].means, rates.means)
            assert torch.equal(found[spec].variances, rates.variances)


def test_trainers_of_pytorch_lightning_are_as_good() -> None:
    assert by_callback(OldModule(), pytorch_lightning) == by_wrapper(OldModule(), pytorch_lightning) == plain_loop()


def test_gradient_accumulation_and_mixed_precision() -> None:
    assert by_callback(accumulate_grad_batches=4) == plain_loop(accumulate=4) != plain_loop()
    assert by_callback(precision="bf16-mixed") == plain_loop(autocast=True) != plain_loop()


@pytest.mark.filterwarnings("ignore:.*torch.set_default_tensor_type:UserWarning")
def test_double_precision_of_which_the_loader_knows_nothing() -> None:
    assert by_callback(precision="64-true") == plain_loop(dtype=torch.float64)


def test_the_wrapper_is_the_module_under_another_class() -> None:
    module = Module()
    wrapper = QuantizationPrivacyWrapper(module, TrajectoryTracker(loss="binary"))
    assert isinstance(wrapper, Module)
    assert isinstance(wrapper, QuantizationPrivacyWrapper)
    assert wrapper.module is module
    assert list(wrapper.state_dict()) == list(module.state_dict())
    assert next(wrapper.parameters()) is next(module.parameters())
    copied = copy.deepcopy(wrapper)
    assert next(copied.parameters()) is not next(module.parameters())
    with pytest.raises(InputError, match="takes a LightningModule, got Sequential"):
        QuantizationPrivacyWrapper(network(), TrajectoryTracker(loss="binary"))


class Dies(Module):
    """A run that is killed in its third epoch."""

    def training_step(self, batch: Any, number: int) -> Tensor:
        if self.trainer.current_epoch == 2 and number == 3:
            raise RuntimeError("killed")
        return super().training_step(batch, number)


@pytest.mark.parametrize(
    "saved", [{"save_on_train_epoch_end": True}, {"save_on_train_epoch_end": False}, {"every_n_train_steps": 6}]
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_killed_run_goes_on_to_the_same_number(saved: dict[str, Any], wrapped: bool, tmp_path: Path) -> None:
    """Lightning writes checkpoints before, after, and (after every 6 of 6 steps) at the very end of an epoch."""

    def fit(module: lightning.LightningModule, ckpt_path: Path | None) -> TrajectoryTracker:
        tracker = TrajectoryTracker(loss="binary")
        keep = ModelCheckpoint(dirpath=tmp_path, save_top_k=-1, **saved)
        callbacks = [keep] if wrapped else [QuantizationPrivacyCallback(tracker), keep]
        trainer = lightning.Trainer(**QUIET | {"enable_checkpointing": True}, callbacks=callbacks)
        model: Any = QuantizationPrivacyWrapper(module, tracker) if wrapped else module
        trainer.fit(model, train_loader(), validation_loader(), ckpt_path=ckpt_path, weights_only=True)
        return tracker

    with pytest.raises(RuntimeError, match="killed"):
        fit(Dies(), None)
    last = max(tmp_path.glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    assert fit(Module(), last).compute() == plain_loop()


def test_it_is_logged_through_the_trainers_logger(tmp_path: Path) -> None:
    found = by_callback(logger=CSVLogger(tmp_path, name="log", version=""), log_every_n_steps=1)
    rows = pd.read_csv(tmp_path / "log" / "metrics.csv")
    assert rows["privacy/elements/ternary_0.9"].dropna().tolist() == [1, 2, 3, 4]
    assert rows["privacy/r_q/ternary_0.9"].dropna().tolist() == pytest.approx([found["ternary:0.9"].r_q.value])
    assert rows["privacy/z/sign"].notna().sum() == 1


def test_every_few_epochs_and_a_loader_of_its_own() -> None:
    tracker = TrajectoryTracker(loss="binary", quantizers=["sign"])
    callback = QuantizationPrivacyCallback(tracker, loader=DataLoader(data(), batch_size=90), every_n_epochs=3)
    lightning.Trainer(**QUIET, callbacks=[callback], limit_val_batches=0).fit(Module(), train_loader())
    assert (tracker.updates, tracker.compute().n_validation) == (1, 90)
    with pytest.raises(InputError, match="every_n_epochs must be at least 1, got 0"):
        QuantizationPrivacyCallback(tracker, every_n_epochs=0)


def test_rare_validation_and_short_epochs_change_nothing() -> None:
    expected = plain_loop()
    assert by_callback(check_val_every_n_epoch=3) == expected
    assert by_callback(limit_val_batches=1, num_sanity_val_steps=0) == expected


class WithData(Module):
    validation_step = None

    def val_dataloader(self) -> Any:
        return validation_loader()


class Data(lightning.LightningDataModule):
    def train_dataloader(self) -> Any:
        return train_loader()

    def val_dataloader(self) -> Any:
        return [validation_loader()]


@pytest.mark.parametrize("from_module", [False, True])
@pytest.mark.filterwarnings("ignore:.*validation_step:UserWarning")
def test_the_validation_loader_of_module_or_datamodule(from_module: bool) -> None:
    tracker = TrajectoryTracker(loss="binary")
    trainer = lightning.Trainer(**QUIET, callbacks=[QuantizationPrivacyCallback(tracker)])
    if from_module:
        trainer.fit(WithData(), train_loader())
    else:
        trainer.fit(Module(), datamodule=Data())
    assert tracker.compute() == plain_loop()


@pytest.mark.parametrize("loaders", [None, [validation_loader(), validation_loader()]])
def test_without_one_validation_loader_it_says_what_to_give(loaders: Any) -> None:
    trainer = lightning.Trainer(**QUIET, callbacks=[QuantizationPrivacyCallback(TrajectoryTracker(loss="binary"))])
    module = Module()
    module.validation_step = lambda batch, _, dataloader_idx=0: None  # one that takes several
    with pytest.raises(InputError, match=r"has (none|2) validation dataloaders.*loader=DataLoader"):
        trainer.fit(module, train_loader(), loaders)


DDP = """
import json, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
import torch
import test_lightning as t

tracker = t.TrajectoryTracker(loss="binary")
snapshots = []

class Keeps(t.lightning.Callback):
    def on_train_epoch_end(self, trainer, module):
        snapshots.append({name: tensor.clone() for name, tensor in module.network.state_dict().items()})

trainer = t.lightning.Trainer(
    **t.QUIET, strategy="ddp", devices=2, callbacks=[Keeps(), t.QuantizationPrivacyCallback(tracker)]
)
trainer.fit(t.Module(), t.train_loader(), t.validation_loader())
found = tracker.compute()


def write(name, found):
    values = {"n": found.n_validation, "r_q": {spec: rates.r_q.value for spec, rates in found.rates.items()}}
    with open(f"{name}.json", "w") as file:
        json.dump(values, file)


write(trainer.global_rank, found)
if trainer.is_global_zero:
    alone, model = t.TrajectoryTracker(loss="binary"), t.network()
    for snapshot in snapshots:
        model.load_state_dict(snapshot)
        alone.update(model, t.validation_loader())
    write("alone", alone.compute())
"""


def test_two_processes_have_the_result_of_one(tmp_path: Path) -> None:
    """Under `ddp`, over gloo: each process, and one process that looks at the same weights."""
    script = tmp_path / "ddp.py"
    script.write_text(DDP)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, str(script), str(Path(__file__).parent)],
        capture_output=True, text=True, timeout=250, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second, alone = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("0", "1", "alone"))
    assert first["n"] == 90
    assert first == second == alone


def test_importing_quantleak_does_not_import_lightning_and_its_absence_is_explained() -> None:
    code = (
        "import sys, quantleak, quantleak.trajectory, quantleak.fleet\n"
        "assert not {'lightning', 'pytorch_lightning', 'transformers'} & set(sys.modules)\n"
        "sys.modules['lightning'] = sys.modules['transformers'] = None\n"
        "for name, extra in (('lightning', 'lightning'), ('hf', 'hf')):\n"
        "    try:\n"
        "        __import__(f'quantleak.{name}')\n"
        "    except ImportError as error:\n"
        "        assert f\"pip install 'quantleak[{extra}]'\" in str(error), error\n"
        "    else:\n"
        "        raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_runs_as_it_is_printed(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "lightning_callback.py"
    done = subprocess.run(
        [sys.executable, str(example)], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=250
    )
    assert done.returncode == 0, done.stderr
    assert "200 validation examples, 20 updates" in done.stdout
