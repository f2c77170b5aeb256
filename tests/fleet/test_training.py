"""When a fleet is evaluated, and how fast it learns when."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantleak.errors import InputError
from quantleak.fleet import Adam, Training, augment


def test_checkpoints_come_every_few_epochs_and_at_the_last() -> None:
    training = Training(epochs=7, evaluate_every=3)
    assert [e for e in range(1, 8) if training.evaluated(e)] == [3, 6, 7]
    with pytest.raises(InputError, match="epochs must be at least 1"):
        Training(epochs=0)


@given(epochs=st.integers(1, 300), rate=st.floats(1e-6, 10))
def test_the_cosine_schedule_is_torchs(epochs: int, rate: float) -> None:
    training = Training(epochs=epochs, optimizer=Adam(learning_rate=rate), schedule="cosine")
    steps = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(steps, T_max=epochs)
    for epoch in range(1, epochs + 1):
        assert training.learning_rate(epoch) == pytest.approx(schedule.get_last_lr()[0], rel=1e-9, abs=1e-12 * rate)
        steps.step()
        schedule.step()
    assert Training(epochs=epochs, optimizer=Adam(learning_rate=rate)).learning_rate(epochs) == rate


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cosin"}, "schedule must be constant or cosine, got 'cosin'. Did you mean 'cosine'"),
        ({"precision": "bf16"}, "precision must be float32 or bfloat16, got 'bf16'"),
        ({"batch": 0}, "batch must be at least 1"),
    ],
)
def test_bad_settings_are_explained(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Training(**settings)


def test_settings_other_than_usual_are_named() -> None:
    names = ("schedule", "augment", "precision")
    assert Training().other_than_usual(*names) is None
    training = Training(schedule="cosine", augment=augment("flip"))
    assert training.other_than_usual(*names) == "schedule 'cosine' and augment 'flip'"
    assert training.other_than_usual("precision") is None
