"""Whole models are in one part each."""

from __future__ import annotations

import numpy as np

from quantleak.attacks.discriminator import Candidate, Discriminator, discriminator

LOSS = Candidate(inputs="loss", width=0)
QUICK = Discriminator(search=(LOSS, Candidate(inputs="paper", width=8, learning_rate=1e-2)), epochs=5, batch=40)


def test_every_model_is_in_one_part(world):
    parts = discriminator(**world(), settings=QUICK).split
    assert [len(part) for part in parts] == [24, 8, 8]
    assert sorted(np.concatenate(list(parts))) == list(range(40))
