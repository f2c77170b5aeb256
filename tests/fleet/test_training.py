"""When a fleet is evaluated."""

from __future__ import annotations

import pytest

from quantleak.errors import InputError
from quantleak.fleet import Training


def test_checkpoints_come_every_few_epochs_and_at_the_last() -> None:
    training = Training(epochs=7, evaluate_every=3)
    assert [e for e in range(1, 8) if training.evaluated(e)] == [3, 6, 7]
    with pytest.raises(InputError, match="epochs must be at least 1"):
        Training(epochs=0)
