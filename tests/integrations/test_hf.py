"""Hugging Face's Trainer on a tiny transformer with random weights: nothing is downloaded or sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", DO_NOT_TRACK="1")

from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from quantleak.errors import InputError
from quantleak.integrations.hf import QuantizationPrivacyCallback
from quantleak.trajectory import TrackedRates, TrajectoryTracker

EPOCHS, BATCH = 3, 16


def examples() -> list[dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(0)
    texts, labels = torch.randint(0, 50, (60, 8), generator=random), torch.randint(0, 3, (60,), generator=random)
    return [
        {"input_ids": text, "attention_mask": torch.ones_like(text), "labels": label}
        for text, label in zip(texts, labels, strict=True)
    ]


def model() -> nn.Module:
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16, num_labels=3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: nn.Module = BertForSequenceClassification(config)
    return made


def validation() -> DataLoader[Any]:
    return DataLoader(examples(), batch_size=25)


def train(folder: Path, resume: Path | None = None, **settings: Any) -> tuple[TrackedRates, Trainer]:
    tracker = TrajectoryTracker(loss="multiclass", quantizers=["sign", "uniform:4"])
    arguments = TrainingArguments(
        output_dir=str(folder), num_train_epochs=EPOCHS, per_device_train_batch_size=BATCH, use_cpu=True,
        report_to="none", disable_tqdm=True, save_strategy="epoch", logging_strategy="no", optim="adamw_torch",
        lr_scheduler_type="constant", max_grad_norm=0.0, learning_rate=1e-3, **settings,
    )  # fmt: skip
    callback = QuantizationPrivacyCallback(tracker, validation())
    trainer = Trainer(model=model(), args=arguments, train_dataset=examples(), callbacks=[callback])
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    return tracker.compute(), trainer


def test_it_finds_what_a_look_at_the_saved_checkpoints_finds(tmp_path: Path) -> None:
    """The oracle: the models that the trainer saved, loaded and tracked in a plain loop."""
    found, trainer = train(tmp_path)
    plain = TrajectoryTracker(loss="multiclass", quantizers=["sign", "uniform:4"])
    for step in (4, 8, 12):
        saved = BertForSequenceClassification.from_pretrained(tmp_path / f"checkpoint-{step}")
        plain.update(saved, validation())
    assert found["uniform:4"].r_q.elements == EPOCHS
    assert found == plain.compute()
    assert trainer.state.log_history[-1]["privacy/r_q/sign"] == found["sign"].r_q.value


def test_it_resumes_from_a_checkpoint(tmp_path: Path) -> None:
    whole, _ = train(tmp_path)
    resumed, _ = train(tmp_path, resume=tmp_path / "checkpoint-4")
    assert resumed == whole
    (tmp_path / "checkpoint-4" / "quantleak.pt").unlink()
    with pytest.raises(InputError, match=r"goes on after step 4, but .*quantleak.pt is missing"):
        train(tmp_path, resume=tmp_path / "checkpoint-4")


def test_mixed_precision_is_not_in_the_losses(tmp_path: Path) -> None:
    """Accelerate hides autocast in the model's forward; the saved weights looked at in float32 say the same."""
    found, _ = train(tmp_path, bf16=True)
    plain = TrajectoryTracker(loss="multiclass", quantizers=["sign", "uniform:4"])
    for step in (4, 8, 12):
        plain.update(BertForSequenceClassification.from_pretrained(tmp_path / f"checkpoint-{step}"), validation())
    assert found == plain.compute()
