from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.errors import InputError
from quantleak.fleet import batches
from quantleak.fleet.batches import ModelBatches, steps_per_epoch


@given(members=st.integers(1, 200), batch=st.integers(1, 64), seed=st.integers(0, 9))
def test_every_epoch_deals_every_member_once_into_batches_of_nearly_equal_size(
    members: int, batch: int, seed: int
) -> None:
    rows = np.arange(1000, 1000 + members)
    steps = steps_per_epoch([rows], batch)
    dealt = ModelBatches(rows, steps, np.random.SeedSequence(seed))
    sizes = np.diff(dealt.edges)
    assert sizes.max() <= batch
    assert sizes.max() - sizes.min() <= 1
    for _ in range(3):
        assert sorted(dealt.epoch()) == list(rows)


def test_the_order_does_not_depend_on_how_many_epochs_are_drawn_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def orders() -> np.ndarray:
        dealt = ModelBatches(np.arange(37), 3, np.random.SeedSequence(4))
        return np.stack([dealt.epoch() for _ in range(20)])

    many = orders()
    monkeypatch.setattr(batches, "_CHUNK_BYTES", 8 * 37 * 3)
    np.testing.assert_array_equal(orders(), many)
    assert len({tuple(order) for order in many}) == 20


def test_epochs_are_uniform_permutations() -> None:
    dealt = ModelBatches(np.arange(3), 1, np.random.SeedSequence(0))
    seen = [tuple(dealt.epoch()) for _ in range(6000)]
    counts = np.unique(np.array(seen), axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_fewer_members_than_steps_is_refused() -> None:
    with pytest.raises(InputError, match="2 training examples but the fleet takes 3 steps"):
        ModelBatches(np.arange(2), 3, np.random.SeedSequence(0))
