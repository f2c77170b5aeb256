"""The callback and the wrapper for Lightning: they forward hooks to it and compute nothing themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast

from torch.utils.data import DataLoader, DistributedSampler

from quantleak.errors import InputError
from quantleak.trajectory import TrajectoryTracker
from quantleak.trajectory.undisturbed import random_states

try:
    from lightning.pytorch import Callback
except ImportError as error:
    raise ImportError("quantleak.lightning needs Lightning: pip install 'quantleak[lightning]'") from error


class QuantizationPrivacyCallback(Callback):
    """`Trainer(callbacks=[QuantizationPrivacyCallback(tracker)])`; read `tracker.compute()` after `fit`.

    After every training epoch the tracker looks at the LightningModule, exactly as a plain loop would let it: the
    numbers are the same bit for bit. Every `fit` that trains begins a new trajectory, unless it is given a checkpoint:
    the state is part of every checkpoint, so `fit(ckpt_path=...)` goes on to the same numbers. The number of elements
    is logged after each epoch, r_Q, Cramer rate and z when training ends, all under `privacy/`.

    Runs in trainers of `lightning` and of `pytorch_lightning`, with any precision and gradient accumulation (losses
    of quantized models are computed outside autocast). Under `ddp` process 0 looks, at the whole validation set, and
    the others receive the result when training ends; strategies that shard parameters, and those that start new
    processes from a notebook (`ddp_spawn`, `ddp_notebook`), are not supported.

    Args:
        tracker: Collects; what it held before is forgotten when a training begins.
        loader: The validation set; by default the validation dataloader of the trainer.
        every_n_epochs: Look after every so many epochs.

    Example:
        >>> QuantizationPrivacyCallback(TrajectoryTracker(loss="binary")).every_n_epochs
        1
    """

    def __init__(self, tracker: TrajectoryTracker, loader: Any = None, every_n_epochs: int = 1) -> None:
        super().__init__()
        if every_n_epochs < 1:
            raise InputError(f"every_n_epochs must be at least 1, got {every_n_epochs}.")
        self.tracker, self.loader, self.every_n_epochs = tracker, loader, every_n_epochs
        self.looked = 0  # the tracker last looked after so many epochs
        self._stage, self._fresh, self._loaded = "fit", True, False

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """A call of the trainer begins; whether it goes on from a checkpoint is not known yet."""
        self._stage = stage
        if stage == "fit":
            self._fresh, self._loaded = True, False

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """A call of the trainer ends."""
        self._stage = "fit"

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin anew, or look now if training goes on from a checkpoint written after an epoch's last step."""
        if self._fresh and trainer.ckpt_path and not self._loaded:
            raise InputError(
                f"Training goes on from {trainer.ckpt_path}, which holds nothing of this callback: the trajectory "
                "would lack its beginning. Resume from a checkpoint of a trainer that had it, or train anew."
            )
        if self._fresh:
            self.tracker.reset()
            self.looked, self._fresh = 0, False
        else:
            self._look(trainer, pl_module, trainer.current_epoch)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Look at the model."""
        self._look(trainer, pl_module, trainer.current_epoch + 1)
        if trainer.is_global_zero:
            counts = {f"elements/{spec}": float(count) for spec, count in self.tracker.elements.items()}
            pl_module.log_dict(_named(counts), rank_zero_only=True)

    def _look(self, trainer: Any, pl_module: Any, epochs: int) -> None:
        """Update the tracker after so many epochs, unless it was done."""
        due = epochs > self.looked and epochs % self.every_n_epochs == 0
        if due and trainer.is_global_zero:
            loader = self.loader if self.loader is not None else _validation(trainer)
            self.tracker.update(pl_module, _whole(loader))
            self.looked = epochs

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the rates, and give them to the other processes."""
        found = self.tracker.compute() if trainer.is_global_zero and self.tracker.updates else None
        found = trainer.strategy.broadcast(found)
        if found is None:
            return
        self.tracker.adopt(found)
        for logger in trainer.loggers:
            logger.log_metrics(_named(found.to_dict()), step=trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        """The tracker's state, for the checkpoint."""
        return {"tracker": self.tracker.state_dict(), "looked": self.looked, "fresh": self._fresh}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint; one that is only validated, tested or used to predict changes nothing.

        The tuner's own checkpoint, written before a training began, does not make it a continued one.
        """
        if self._stage != "fit":
            return
        self.tracker.load_state_dict(state_dict["tracker"])
        self.looked, self._fresh, self._loaded = state_dict["looked"], state_dict.get("fresh", False), True


class QuantizationPrivacyWrapper:
    """`Trainer().fit(QuantizationPrivacyWrapper(module, tracker))`: a LightningModule that brings its own callback.

    It is the given module under another class, not a copy: all of its hooks, its parameters and the names in its
    checkpoints stay, and training the wrapper trains the module.

    Args:
        module: The LightningModule to train.
        tracker: Collects, as in :class:`QuantizationPrivacyCallback`.
        loader: The validation set; by default the validation dataloader of the trainer.

    Attributes:
        module: The LightningModule that was given.
    """

    module: Any
    _privacy: QuantizationPrivacyCallback

    def __new__(cls, module: Any, tracker: TrajectoryTracker, loader: Any = None) -> Any:
        """The module under a class that derives from its own."""
        if not hasattr(module, "configure_callbacks"):
            raise InputError(
                f"QuantizationPrivacyWrapper takes a LightningModule, got {type(module).__name__}; in a loop of your "
                "own call tracker.update(model, loader) after every epoch."
            )
        callback = QuantizationPrivacyCallback(tracker, loader)
        # Copies of a wrapper (weight averaging makes them) are made without calling this again.
        body = {"module": module, "_privacy": callback, "__new__": lambda kind: object.__new__(kind)}
        kind = type(f"{type(module).__name__}WithPrivacy", (cls, type(module)), body)
        wrapper: Any = object.__new__(kind)
        object.__setattr__(wrapper, "__dict__", module.__dict__)
        return wrapper

    def __init__(self, module: Any, tracker: TrajectoryTracker, loader: Any = None) -> None:
        # The module was initialised by its own class.
        pass

    def configure_callbacks(self) -> list[Any]:
        """The module's callbacks and ours."""
        own = self.module.configure_callbacks()
        return [*(own if isinstance(own, list | tuple) else [own]), self._privacy]


def _named(values: Mapping[str, float]) -> dict[str, float]:
    """Metric names that every logger takes: `privacy/r_q/ternary_0.9`."""
    return {
        re.sub(r"[^\w./-]", "_", f"privacy/{name}"): value for name, value in values.items() if math.isfinite(value)
    }


def _validation(trainer: Any) -> Any:
    """The trainer's validation dataloader."""
    loaders = trainer.val_dataloaders
    source = getattr(trainer, "datamodule", None) or trainer.lightning_module
    # Without a validation_step the trainer does not load one, but there may be one.
    own = type(source).val_dataloader.__module__.partition(".")[0] not in {"lightning", "pytorch_lightning"}
    if loaders is None and own:
        with random_states():
            loaders = source.val_dataloader()
    if isinstance(loaders, list | tuple) and len(loaders) == 1:
        loaders = loaders[0]
    if loaders is None or isinstance(loaders, list | tuple | dict):
        seen = "none" if loaders is None or not loaders else f"{len(loaders)}"
        raise InputError(
            f"The trainer has {seen} validation dataloaders, and the trajectory needs one; give "
            "QuantizationPrivacyCallback(tracker, loader=DataLoader(validation, batch_size=..., shuffle=False))."
        )
    return loaders


def _whole(loader: Any) -> Any:
    """The loader over the whole set, where Lightning has cut it into a share for each process."""
    if not isinstance(getattr(loader, "sampler", None), DistributedSampler) or loader.batch_size is None:
        return loader
    loader = cast("DataLoader[Any]", loader)
    return DataLoader(
        loader.dataset, batch_size=loader.batch_size, collate_fn=loader.collate_fn, num_workers=loader.num_workers
    )
