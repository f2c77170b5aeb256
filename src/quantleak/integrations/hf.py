"""The callback for Hugging Face's `Trainer`: it forwards events to the tracker and computes nothing itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from quantleak.errors import InputError
from quantleak.trajectory import TrajectoryTracker

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise ImportError("quantleak.hf needs transformers: pip install 'quantleak[hf]'") from error

STATE = "quantleak.pt"
NAME = "quantleak"


class QuantizationPrivacyCallback(TrainerCallback):
    """`Trainer(..., callbacks=[QuantizationPrivacyCallback(tracker, loader)])`; read `tracker.compute()` after `train`.

    After every epoch the tracker looks at the model. Every `train()` begins a new trajectory, unless it resumes from a
    checkpoint, which continues the trajectory of that checkpoint: the tracker's state is saved in every checkpoint
    folder as `quantleak.pt`, and the trainer's own state says which file belongs to it. When training ends, r_Q,
    Cramer rate and z join the trainer's log history. Where several processes train, process 0 looks and has the result.

    Args:
        tracker: Collects; what it held before is forgotten when a training begins. Its loss `multiclass` fits models
            for classification; for others give it a `loss` or a `forward`.
        loader: The validation set; batches that are mappings hold their targets under `labels`.
    """

    def __init__(self, tracker: TrajectoryTracker, loader: Any) -> None:
        self.tracker, self.loader = tracker, loader
        self._run = ""
        self._whole_epochs: dict[str, Any] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Go on from a checkpoint, or begin anew: in another trainer, in each trial of a search, after an error."""
        self.tracker.reset()
        self._whole_epochs = None
        if state.global_step and state.is_world_process_zero:
            self.tracker.load_state_dict(_saved(args, state))
            if int(state.epoch) > self.tracker.updates:  # saved after the last step of an epoch, before its end
                self.tracker.update(kwargs["model"], self.loader)
        elif NAME in state.stateful_callbacks:
            raise InputError(
                "A Trainer takes one QuantizationPrivacyCallback, and this has two; name all quantizers in one tracker."
            )
        # The trainer writes this into each checkpoint, so that a file of another run is never taken for this one's.
        self._run = uuid.uuid4().hex
        state.stateful_callbacks[NAME] = {"run": self._run, "output_dir": str(Path(args.output_dir).absolute())}

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the model."""
        if state.is_world_process_zero:
            stopped = control.should_training_stop and state.epoch % 1
            # Who resumes finishes this epoch and looks at its end, as if training had not stopped within it.
            self._whole_epochs = self.tracker.state_dict() if stopped else None
            self.tracker.update(kwargs["model"], self.loader)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Save the tracker's state beside the model."""
        if state.is_world_process_zero:
            kept = {"run": self._run, "tracker": self._whole_epochs or self.tracker.state_dict()}
            torch.save(kept, next(_folders(state, self._run, [args.output_dir])) / STATE)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Add the rates to the log history."""
        if state.is_world_process_zero and self.tracker.updates:
            rates = {f"privacy/{name}": value for name, value in self.tracker.compute().to_dict().items()}
            state.log_history.append({**rates, "epoch": state.epoch, "step": state.global_step})


def _folders(state: Any, run: str, roots: Iterable[Any]) -> Iterator[Path]:
    """The checkpoint folders of this run at this step, wherever the trainer wrote them: a search adds `run-N`."""
    name = f"checkpoint-{state.global_step}"
    for root in (Path(root) for root in roots if isinstance(root, str)):
        for folder in chain((root, root / name), root.glob(f"**/{name}")):
            written = folder / "trainer_state.json"
            if written.is_file() and _mark(json.loads(written.read_text(encoding="utf-8"))).get("run") == run:
                yield folder


def _mark(state: dict[str, Any]) -> dict[str, Any]:
    """What this callback wrote into a trainer's state."""
    found: dict[str, Any] = state["stateful_callbacks"].get(NAME, {})
    return found


def _saved(args: Any, state: Any) -> dict[str, Any]:
    """The tracker's state that belongs to the checkpoint from which the trainer resumes."""
    mark = _mark(vars(state))
    if mark:
        for folder in _folders(state, mark["run"], (args.resume_from_checkpoint, args.output_dir, mark["output_dir"])):
            if (folder / STATE).is_file():
                kept: dict[str, Any] = torch.load(folder / STATE, weights_only=True)
                if kept.get("run") == mark["run"]:
                    found: dict[str, Any] = kept["tracker"]
                    return found
    place = Path(args.output_dir) / f"checkpoint-{state.global_step}" / STATE
    raise InputError(
        f"Training goes on after step {state.global_step}, but {place} is missing or of another run: the trajectory "
        "would lack its beginning. Resume from a checkpoint that this callback saved (if its folder was moved, give it "
        "to TrainingArguments(resume_from_checkpoint=...) too), or train anew."
    )
