"""The life of a callback, each row of the table in docs/guide/own_model.md, for Lightning and for Hugging Face.

The oracle of a fresh start is a plain tracker that looks at the weights which another callback copied at the end of
every epoch; of a continued training, the same training without an interruption.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import LearningRateFinder, ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", DO_NOT_TRACK="1")

from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import HPSearchBackend

import quantleak.hf
import quantleak.lightning
from quantleak.errors import InputError
from quantleak.trajectory import TrackedRates, TrajectoryTracker

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*number of training batches:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),  # Lightning calls what torch has deprecated
    pytest.mark.filterwarnings("ignore:.*resuming from a checkpoint that ended before:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*val_dataloader:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*callbacks used to create the checkpoint:UserWarning"),
]
EPOCHS, STEPS, BATCH = 3, 4, 16


QUIET = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}


def data() -> TensorDataset:
    """Every batch of `BATCH` is the same: Lightning reads an epoch that it resumes in its middle from the start."""
    drawn = torch.Generator().manual_seed(0)
    features = torch.randn(BATCH, 6, generator=drawn).repeat(STEPS, 1)
    return TensorDataset(features, torch.randint(0, 2, (BATCH,), generator=drawn).float().repeat(STEPS))


def validation() -> DataLoader[Any]:
    drawn = torch.Generator().manual_seed(1)
    targets = torch.randint(0, 2, (20,), generator=drawn).float()
    return DataLoader(TensorDataset(torch.randn(20, 6, generator=drawn), targets), batch_size=20)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))


def new_tracker() -> TrajectoryTracker:
    return TrajectoryTracker(loss="binary", quantizers=["sign", "uniform:4"])


def looks_at(weights: list[nn.Module]) -> TrackedRates:
    """What a plain tracker finds in these networks."""
    plain = new_tracker()
    for each in weights:
        plain.update(each, validation())
    return plain.compute()


def exactly(found: TrackedRates, expected: TrackedRates) -> bool:
    """The same looks, and every mean and variance the same bit for bit."""
    return found == expected and all(
        torch.equal(found[spec].means, rates.means) and torch.equal(found[spec].variances, rates.variances)
        for spec, rates in expected.rates.items()
    )


# Lightning


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def training_step(self, batch: Any, _: int) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(self.forward(batch[0])[:, 0], batch[1])

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("validation", self.training_step(batch, 0))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-2)


class RunsOut(Module):
    """Out of memory in the second epoch."""

    def training_step(self, batch: Any, number: int) -> Tensor:
        if self.trainer.current_epoch == 1 and number == 2:
            raise RuntimeError("CUDA out of memory.")
        return super().training_step(batch, number)


class Copies(lightning.Callback):
    """Copies of the network at the end of every epoch."""

    def __init__(self) -> None:
        self.weights: list[nn.Module] = []

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        self.weights.append(copy.deepcopy(module.network))


class Life:
    """One callback and one tracker through several trainers."""

    def __init__(self, folder: Path) -> None:
        self.tracker, self.copies, self.folder = new_tracker(), Copies(), folder
        self.callback = quantleak.lightning.QuantizationPrivacyCallback(self.tracker, validation())

    def trainer(self, *more: Any, checkpoints: dict[str, Any] | None = None, **settings: Any) -> lightning.Trainer:
        self.copies.weights.clear()
        keep = [] if checkpoints is None else [ModelCheckpoint(self.folder, "{step}", save_top_k=-1, **checkpoints)]
        return lightning.Trainer(
            **QUIET | {"max_epochs": EPOCHS, "enable_checkpointing": bool(keep)} | settings,
            default_root_dir=self.folder,
            callbacks=[*more, self.copies, self.callback, *keep],
        )

    def fit(self, trainer: Any, module: Any = None, ckpt_path: Any = None) -> TrackedRates:
        module = Module() if module is None else module
        settings = {} if ckpt_path is None else {"ckpt_path": ckpt_path, "weights_only": True}
        trainer.fit(module, DataLoader(data(), batch_size=BATCH), validation(), **settings)
        return self.tracker.compute()


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_lightning_first_fit(life: Life) -> None:
    found = life.fit(life.trainer())
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(life.copies.weights))


@pytest.mark.parametrize("resets", [False, True])
def test_lightning_second_fit_in_a_new_trainer(life: Life, resets: bool) -> None:
    first = life.fit(life.trainer())
    if resets:
        life.tracker.reset()
    other = Module()
    with torch.no_grad():
        other.network[0].weight.mul_(-1)
    found = life.fit(life.trainer(), other)
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(life.copies.weights))
    assert found != first


def test_lightning_second_fit_in_the_same_trainer(life: Life) -> None:
    trainer, module = life.trainer(), Module()
    first = life.fit(trainer, module)
    assert life.fit(trainer, module) is first  # it trains nothing, and forgets nothing
    trainer.fit_loop.max_epochs = 2 * EPOCHS
    life.copies.weights.clear()
    found = life.fit(trainer, module)
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(life.copies.weights))


SAVED: dict[str, tuple[int, dict[str, Any]]] = {
    "an epoch's end": (STEPS, {"save_on_train_epoch_end": True}),
    "an epoch's end, after validation": (STEPS, {"save_on_train_epoch_end": False}),
    "an epoch's last step": (STEPS, {"every_n_train_steps": STEPS}),
    "an epoch's middle": (STEPS + 2, {"every_n_train_steps": 2}),
    "the last epoch's end": (EPOCHS * STEPS, {"save_on_train_epoch_end": True}),
    "the last step": (EPOCHS * STEPS, {"every_n_train_steps": STEPS}),
}


@pytest.mark.parametrize("where", SAVED)
@pytest.mark.parametrize("again", [False, True])
def test_lightning_resume(life: Life, where: str, again: bool, tmp_path: Path) -> None:
    step, checkpoints = SAVED[where]
    whole = life.fit(life.trainer(checkpoints=checkpoints))
    resuming = life if again else Life(tmp_path)  # the same callback, or one of another process
    found = resuming.fit(resuming.trainer(), ckpt_path=tmp_path / f"step={step}.ckpt")
    assert found.updates == EPOCHS
    assert exactly(found, whole)


def test_lightning_resume_where_the_steps_ended_within_an_epoch(life: Life, tmp_path: Path) -> None:
    ended = life.fit(life.trainer(checkpoints={"save_on_train_epoch_end": True}, max_steps=STEPS + 2))
    looks = list(life.copies.weights)
    assert exactly(ended, looks_at(looks))
    assert ended.updates == 2
    # Lightning counts the epoch that it ended early as trained, and goes on with the next.
    found = life.fit(life.trainer(), ckpt_path=tmp_path / f"step={STEPS + 2}.ckpt")
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(looks + life.copies.weights))


def test_lightning_resume_without_the_beginning_is_refused(life: Life, tmp_path: Path) -> None:
    without = lightning.Trainer(**QUIET, max_epochs=1, callbacks=[ModelCheckpoint(tmp_path, "without")])
    without.fit(Module(), DataLoader(data(), batch_size=BATCH))
    with pytest.raises(InputError, match="without.ckpt, which holds nothing of this callback"):
        life.fit(life.trainer(), ckpt_path=tmp_path / "without.ckpt")


@pytest.mark.parametrize("same", [False, True])
def test_lightning_restart_after_out_of_memory(life: Life, same: bool) -> None:
    trainer = life.trainer()
    with pytest.raises(RuntimeError, match="out of memory"):
        life.fit(trainer, RunsOut())
    assert life.tracker.updates == 1
    life.copies.weights.clear()
    found = life.fit(trainer if same else life.trainer())
    assert exactly(found, looks_at(life.copies.weights))
    assert found.updates == EPOCHS - same  # Lightning counts on: the epoch that was finished is not repeated


def test_lightning_search_has_a_trajectory_for_each_trial(life: Life, tmp_path: Path) -> None:
    whole = life.fit(life.trainer(checkpoints={"save_on_train_epoch_end": True}))
    for trial in range(2):
        life.folder = tmp_path / f"trial-{trial}"
        module = Module()
        with torch.no_grad():
            module.network[0].weight.mul_(trial + 2)
        found = life.fit(life.trainer(checkpoints={"save_on_train_epoch_end": True}), module)
        assert exactly(found, looks_at(life.copies.weights))
    assert exactly(life.fit(life.trainer(), ckpt_path=tmp_path / f"step={STEPS}.ckpt"), whole)


def test_lightning_search_for_a_learning_rate_is_no_part_of_the_run(life: Life) -> None:
    class Tunable(Module):
        lr = 1e-2

    life.fit(life.trainer())
    found = life.fit(life.trainer(LearningRateFinder(num_training_steps=6), checkpoints={}), Tunable())
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(life.copies.weights))


def test_lightning_validate_only(life: Life, tmp_path: Path) -> None:
    found = life.fit(life.trainer(checkpoints={"save_on_train_epoch_end": True}))
    trainer = life.trainer()
    trainer.validate(Module(), validation(), verbose=False)
    trainer.validate(
        Module(), validation(), verbose=False, ckpt_path=tmp_path / f"step={STEPS}.ckpt", weights_only=True
    )
    assert life.tracker.compute() is found
    assert exactly(life.fit(trainer), looks_at(life.copies.weights))


# Hugging Face


class Classifier(nn.Module):
    def __init__(self, runs_out: bool = False) -> None:
        super().__init__()
        self.network, self.runs_out, self.calls = network(), runs_out, 0

    def forward(self, x: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = self.network(x)
        if labels is None:
            return {"logits": logits}
        self.calls += 1
        if self.runs_out and len(x) == BATCH and self.calls > STEPS + 2:
            raise RuntimeError("CUDA out of memory.")
        return {"loss": nn.functional.binary_cross_entropy_with_logits(logits[:, 0], labels), "logits": logits}


class CopiesOfHF(TrainerCallback):
    def __init__(self) -> None:
        self.weights: list[nn.Module] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.weights.clear()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.weights.append(copy.deepcopy(kwargs["model"].network))


class LifeOfHF:
    """One callback and one tracker through several trainers."""

    def __init__(self, folder: Path) -> None:
        self.tracker, self.copies, self.folder = new_tracker(), CopiesOfHF(), folder
        batches = [{"x": x, "labels": y} for x, y in validation()]
        self.callback = quantleak.hf.QuantizationPrivacyCallback(self.tracker, batches)

    def trainer(self, model: Callable[[], nn.Module] = Classifier, **settings: Any) -> Trainer:
        arguments = TrainingArguments(**{
            "output_dir": str(self.folder), "num_train_epochs": EPOCHS, "per_device_train_batch_size": BATCH,
            "use_cpu": True, "report_to": "none", "disable_tqdm": True, "save_strategy": "epoch",
            "logging_strategy": "no", "optim": "adamw_torch", "lr_scheduler_type": "constant", "max_grad_norm": 0.0,
            "learning_rate": 1e-2, **settings,
        })  # fmt: skip
        examples = [{"x": x, "labels": y} for x, y in data()]
        return Trainer(
            model_init=lambda trial=None: model(), args=arguments, train_dataset=examples,
            callbacks=[self.copies, self.callback],
        )  # fmt: skip

    def train(self, trainer: Trainer, resume: Path | None = None, **settings: Any) -> TrackedRates:
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume), **settings)
        return self.tracker.compute()


@pytest.fixture
def hf(tmp_path: Path) -> LifeOfHF:
    return LifeOfHF(tmp_path)


def test_hf_first_fit(hf: LifeOfHF) -> None:
    found = hf.train(hf.trainer())
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(hf.copies.weights))


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("resets", [False, True])
def test_hf_second_fit(hf: LifeOfHF, same: bool, resets: bool) -> None:
    trainer = hf.trainer()
    hf.train(trainer)
    if resets:
        hf.tracker.reset()
    found = hf.train(trainer if same else hf.trainer(seed=7))
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(hf.copies.weights))


HF_SAVED: dict[str, tuple[int, dict[str, Any]]] = {
    "an epoch's end": (STEPS, {}),
    "an epoch's last step": (STEPS, {"save_strategy": "steps", "save_steps": STEPS}),
    "an epoch's middle": (STEPS + 2, {"save_strategy": "steps", "save_steps": 2}),
    "the last epoch's end": (EPOCHS * STEPS, {}),
    "the last step": (EPOCHS * STEPS, {"save_strategy": "steps", "save_steps": STEPS}),
}


@pytest.mark.parametrize("where", HF_SAVED)
@pytest.mark.parametrize("again", [False, True])
def test_hf_resume(hf: LifeOfHF, where: str, again: bool, tmp_path: Path) -> None:
    step, saved = HF_SAVED[where]
    whole = hf.train(hf.trainer(**saved))
    resuming = hf if again else LifeOfHF(tmp_path)
    found = resuming.train(resuming.trainer(**saved), tmp_path / f"checkpoint-{step}")
    assert found.updates == EPOCHS
    assert exactly(found, whole)


def test_hf_resume_where_the_steps_ended_within_an_epoch(hf: LifeOfHF, tmp_path: Path) -> None:
    whole = hf.train(hf.trainer())
    ended = hf.train(hf.trainer(max_steps=STEPS + 2))
    assert exactly(ended, looks_at(hf.copies.weights))
    assert ended.updates == 2
    assert exactly(hf.train(hf.trainer(), tmp_path / f"checkpoint-{STEPS + 2}"), whole)


def test_hf_resume_finds_the_file_of_the_checkpoint_and_of_no_other(hf: LifeOfHF, tmp_path: Path) -> None:
    """In another output folder, where another run left a checkpoint of the same name; and in a folder that moved."""
    name = f"checkpoint-{STEPS}"
    hf.folder = tmp_path / "one"
    whole = hf.train(hf.trainer())
    hf.folder = tmp_path / "two"
    hf.train(hf.trainer(learning_rate=0.1))
    assert exactly(hf.train(hf.trainer(), tmp_path / "one" / name), whole)
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "one" / name, moved)
    with pytest.raises(InputError, match=r"goes on after step 4, but .*quantleak.pt is missing or of another run"):
        hf.train(hf.trainer(), moved)
    assert exactly(hf.train(hf.trainer(resume_from_checkpoint=str(moved)), moved), whole)
    shutil.copy(tmp_path / "two" / f"checkpoint-{2 * STEPS}" / "quantleak.pt", moved)
    with pytest.raises(InputError, match="of another run"):
        hf.train(hf.trainer(resume_from_checkpoint=str(moved)), moved)


def test_hf_resume_without_the_beginning_is_refused(hf: LifeOfHF, tmp_path: Path) -> None:
    trainer = hf.trainer()
    trainer.remove_callback(hf.callback)
    trainer.train()
    with pytest.raises(InputError, match=r"checkpoint-4.quantleak.pt is missing"):
        hf.train(hf.trainer(), tmp_path / f"checkpoint-{STEPS}")


def test_hf_restart_after_out_of_memory(hf: LifeOfHF) -> None:
    model = Classifier(runs_out=True)
    trainer = hf.trainer(lambda: model, auto_find_batch_size=True)
    found = hf.train(trainer)
    assert model.calls > STEPS + 2
    assert trainer.state.train_batch_size < BATCH
    assert found.updates == EPOCHS
    assert exactly(found, looks_at(hf.copies.weights))


class Trial(dict[str, Any]):
    number = 0
    params = SimpleNamespace()


@pytest.mark.parametrize("named", [False, True])
def test_hf_search_has_a_trajectory_for_each_trial(
    hf: LifeOfHF, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials write into `run-N`, or into folders that the user names; as `hyperparameter_search` trains them."""
    monkeypatch.setattr("transformers.integrations.hp_params", dict)  # reads the trials of libraries not installed here
    trainer = hf.trainer()
    trainer.hp_search_backend, trainer.hp_space = HPSearchBackend.OPTUNA, dict
    trainer.hp_name = (lambda trial: f"mine/{trial.number}") if named else None
    found = []
    for number in range(2):
        trial = Trial(learning_rate=0.01 * (number + 1))
        trial.number = number
        found.append(hf.train(trainer, trial=trial))
        assert exactly(found[-1], looks_at(hf.copies.weights))
        folder = tmp_path / (f"mine/{number}" if named else f"run-{number}")
        assert (folder / f"checkpoint-{STEPS}" / "quantleak.pt").is_file()
    first = tmp_path / ("mine/0" if named else "run-0") / f"checkpoint-{STEPS}"
    assert exactly(hf.train(hf.trainer(), first), found[0])


def test_hf_validate_only(hf: LifeOfHF) -> None:
    trainer = hf.trainer()
    found = hf.train(trainer)
    trainer.evaluate([{"x": x, "labels": y} for x, y in data()])
    assert hf.tracker.compute() is found


def test_hf_two_callbacks_in_one_trainer_are_refused(hf: LifeOfHF) -> None:
    trainer = hf.trainer()
    trainer.add_callback(quantleak.hf.QuantizationPrivacyCallback(new_tracker(), validation()))
    with pytest.raises(InputError, match="takes one QuantizationPrivacyCallback"):
        trainer.train()


def test_hf_training_is_not_changed_by_a_bit(hf: LifeOfHF) -> None:
    trainer = hf.trainer()
    hf.train(trainer)
    tracked = trainer.model.state_dict()
    trainer.remove_callback(hf.callback)
    trainer.train()
    assert all(torch.equal(tensor, trainer.model.state_dict()[name]) for name, tensor in tracked.items())


def test_lightning_training_is_not_changed_by_a_bit(life: Life) -> None:
    life.fit(life.trainer())
    tracked = life.copies.weights[-1].state_dict()
    trainer = life.trainer()
    trainer.callbacks.remove(life.callback)
    life.fit(trainer)
    assert all(torch.equal(tensor, life.copies.weights[-1].state_dict()[name]) for name, tensor in tracked.items())
