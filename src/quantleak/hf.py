"""The face of the tracker for Hugging Face's `Trainer`: it forwards events and computes nothing itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from quantleak.errors import InputError
from quantleak.tracking import TrajectoryTracker

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise ImportError("quantleak.hf needs transformers: pip install 'quantleak[hf]'") from error

STATE = "quantleak.pt"


class QuantizationPrivacyCallback(TrainerCallback):
    """`Trainer(..., callbacks=[QuantizationPrivacyCallback(tracker, loader)])`; read `tracker.compute()` after `train`.

    After every epoch the tracker looks at the model; its state is saved in every checkpoint folder as `quantleak.pt`
    and found again by `train(resume_from_checkpoint=...)`. When training ends, r_Q, Cramer rate and z join the
    trainer's log history. Where several processes train, process 0 looks and has the result.

    Args:
        tracker: Collects; one run each. Its loss `multiclass` fits models for classification; for others give it a
            `loss` or a `forward`.
        loader: The validation set; batches that are mappings hold their targets under `labels`.
    """

    def __init__(self, tracker: TrajectoryTracker, loader: Any) -> None:
        self.tracker, self.loader = tracker, loader

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Go on from a checkpoint, or begin."""
        if not state.global_step:
            return
        kept = _folder(args, state) / STATE
        if not kept.is_file():
            raise InputError(
                f"Training goes on after step {state.global_step}, but {kept} is missing: the trajectory would lack "
                "its beginning. Resume from a checkpoint in output_dir that this callback saved, or train anew."
            )
        self.tracker.load_state_dict(torch.load(kept, weights_only=True))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the model."""
        if state.is_world_process_zero:
            self.tracker.update(kwargs["model"], self.loader)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the tracker's state beside the model."""
        if state.is_world_process_zero:
            torch.save(self.tracker.state_dict(), _folder(args, state) / STATE)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Add the rates to the log history."""
        if state.is_world_process_zero and self.tracker.updates:
            rates = {f"privacy/{name}": value for name, value in self.tracker.compute().to_dict().items()}
            state.log_history.append({**rates, "epoch": state.epoch, "step": state.global_step})


def _folder(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"
