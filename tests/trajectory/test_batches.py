"""Batches of every kind, and loaders that do not give the same examples in the same order: refused, with the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from quantleak.errors import InputError
from quantleak.trajectory import TrajectoryTracker
from quantleak.trajectory.batches import digest, moved

FIX = r"shuffle=False\) without random augmentation"
FEATURES = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
DATA = TensorDataset(FEATURES, (FEATURES[:, 0] > 0).long())


class Augmented(Dataset[Any]):
    def __len__(self) -> int:
        return len(DATA)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        x, y = DATA[place]
        return x + 1e-6 * torch.randn(4), y


def looked() -> tuple[TrajectoryTracker, nn.Module]:
    """A tracker after its first pass, and a model that has moved since."""
    made, model = TrajectoryTracker(loss="binary", quantizers=["sign"]), nn.Linear(4, 1)
    made.update(model, DataLoader(DATA, batch_size=8))
    with torch.no_grad():
        model.weight.neg_()
    return made, model


@pytest.mark.parametrize(
    "loader",
    [
        [(x[:-1], y[:-1]) for x, y in DataLoader(DATA, batch_size=8)],
        list(reversed(list(DataLoader(DATA, batch_size=8)))),
        DataLoader(DATA, batch_size=7),
        [(x, 1 - y) for x, y in DataLoader(DATA, batch_size=8)],
        [(x + 1e-6, y) for x, y in DataLoader(DATA, batch_size=8)],
        DataLoader(Augmented(), batch_size=8),
        list(DataLoader(DATA, batch_size=8))[:-1],
        [*DataLoader(DATA, batch_size=8), *DataLoader(DATA, batch_size=8)],
    ],
)
def test_another_order_or_other_examples_are_refused(loader: Any) -> None:
    made, model = looked()
    with pytest.raises(InputError, match=FIX):
        made.update(model, loader)
    assert made.elements == {"sign": 1}
    made.update(model, DataLoader(DATA, batch_size=8))
    assert made.elements == {"sign": 2}


def test_augmentation_is_found_at_the_second_pass() -> None:
    made, model = TrajectoryTracker(loss="binary", quantizers=["sign"]), nn.Linear(4, 1)
    batches = DataLoader(Augmented(), batch_size=8)
    made.update(model, batches)
    torch.manual_seed(7)  # an update itself always starts from the same random state
    with torch.no_grad():
        model.weight.neg_()
    with pytest.raises(InputError, match="Batch 0 .* augments"):
        made.update(model, batches)


@pytest.mark.parametrize(
    "sampler",
    [RandomSampler(DATA), SubsetRandomSampler(range(30)), WeightedRandomSampler([1.0] * 30, 30)],
)
def test_samplers_that_shuffle_are_refused_at_once(sampler: Any) -> None:
    with pytest.raises(InputError, match=f"{type(sampler).__name__}.*{FIX}"):
        TrajectoryTracker(loss="binary").update(nn.Linear(4, 1), DataLoader(DATA, batch_size=8, sampler=sampler))


def test_a_share_of_the_set_is_refused() -> None:
    sampler = DistributedSampler(DATA, num_replicas=2, rank=0, shuffle=False)
    with pytest.raises(InputError, match="would see 1 example in 2.*whole validation set"):
        TrajectoryTracker(loss="binary").update(nn.Linear(4, 1), DataLoader(DATA, batch_size=8, sampler=sampler))


def test_what_can_be_read_only_once_is_refused() -> None:
    with pytest.raises(InputError, match="generator, which can be read only once"):
        TrajectoryTracker(loss="binary").update(nn.Linear(4, 1), (batch for batch in DataLoader(DATA)))


def test_an_empty_loader_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        TrajectoryTracker(loss="binary").update(nn.Linear(4, 1), [])


class Thing:
    def __init__(self, value: object) -> None:
        self.value = value


ALIKE = [
    (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]).double()),
    (torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 2.0]])),
    (torch.tensor([1.0, 2.0]).bfloat16(), torch.tensor([1.0, 2.0]).half()),
    (np.array([1, 2]), np.array([2, 1])),
    (["a", "bc"], ["ab", "c"]),
    ({"a": 1, "b": 2}, {"a": 2, "b": 1}),
    (np.array(["a", None], dtype=object), np.array(["a", "b"], dtype=object)),
    (Thing(torch.tensor(1)), Thing(torch.tensor(2))),
    (torch.tensor(True), torch.tensor(False)),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_digests_tell_batches_apart(one: object, other: object) -> None:
    assert digest(one) != digest(other)
    assert digest([one, other]) != digest([other, one])


def test_digests_of_equal_batches_are_equal() -> None:
    batch = {"x": torch.arange(6).view(2, 3).T, "more": [np.arange(3), "text", None, 1.5, Thing("a")]}
    again = {"x": torch.arange(6).view(2, 3).T.clone(), "more": [np.arange(3), "text", None, 1.5, Thing("a")]}
    assert digest(batch) == digest(again)


def sequences(*lengths: int) -> PackedSequence:
    return pack_sequence([torch.arange(3.0 * n).reshape(n, 3).sin() for n in lengths])


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, inputs: PackedSequence) -> Tensor:
        out: Tensor = self.head(self.cell(inputs)[1][0][-1])
        return out


def test_a_packed_sequence_stays_one_and_is_told_from_others() -> None:
    one = sequences(5, 3, 2)
    again = moved(one, torch.device("cpu"))
    assert isinstance(again, PackedSequence)
    assert digest(one) == digest(again) != digest(sequences(4, 3, 3))


def test_a_model_of_packed_sequences_can_be_followed() -> None:
    torch.manual_seed(0)
    model, targets = Recurrent(), torch.tensor([0.0, 1.0, 1.0])
    tracker = TrajectoryTracker(quantizers=["sign"], loss="binary")
    for _ in range(2):
        tracker.update(model, [(sequences(5, 3, 2), targets)])
        with torch.no_grad():
            model.head.weight.neg_()
    assert tracker.compute()["sign"].r_q.elements == 2
