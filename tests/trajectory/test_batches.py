"""Batches of every kind that a loader may hand over."""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from quantleak import TrajectoryTracker
from quantleak.trajectory.batches import digest, moved


def sequences(*lengths: int) -> PackedSequence:
    return pack_sequence([torch.arange(3.0 * n).reshape(n, 3).sin() for n in lengths])


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, inputs):
        return self.head(self.cell(inputs)[1][0][-1])


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
