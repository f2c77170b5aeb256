from __future__ import annotations

import gc
import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.store import rows as shelf
from quantleak.theory import rates
from quantleak.trajectory import Trajectory, evaluated
from quantleak.trajectory import distinct as elements

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
paths = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([-1.0, -0.0, 0.0, 1.0, 0.1]))
)


def distance_losses(vectors: torch.Tensor) -> torch.Tensor:
    """Losses that tell all vectors of the tests apart: squared distances to 7 fixed points."""
    points = torch.linspace(-2, 2, 7 * vectors.shape[1], dtype=torch.float64).view(7, -1).sin()
    return (vectors.double()[:, None] - points).square().sum(-1).float()


def distinct_by_bytes(path: torch.Tensor) -> list[torch.Tensor]:
    """Oracle: a Python dict of bytes, in the order of first visit."""
    seen = {}
    for vector in path:
        seen.setdefault((vector.double() + 0.0).numpy().tobytes(), vector)
    return list(seen.values())


def expected(stack: torch.Tensor):
    return [rates(distance_losses(torch.stack(distinct_by_bytes(path)))) for path in stack]


def few_hashes(words: torch.Tensor) -> torch.Tensor:
    return words.sum(1) % 4


def one_hash(words: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(words), dtype=torch.int64)


@given(
    path=paths,
    dtype=st.sampled_from(DTYPES),
    chunk=st.integers(1, 5),
    hashing=st.sampled_from([None, few_hashes, one_hash]),
)
@settings(max_examples=100)
def test_it_holds_what_a_set_of_bytes_holds(path, dtype, chunk, hashing):
    stack = torch.from_numpy(path).to(dtype)
    with pytest.MonkeyPatch.context() as patch:
        if hashing:
            patch.setattr(elements, "fingerprints", hashing)
        trajectory = Trajectory(len(stack), distance_losses)
        for epochs in stack.split(chunk, dim=1):
            trajectory.update(epochs)
        assert trajectory.elements == [len(distinct_by_bytes(vectors)) for vectors in stack]
        for ours, oracle in zip(trajectory.rates(), expected(stack), strict=True):
            assert ours.r_q.elements == oracle.r_q.elements
            assert ours.r_q.value == pytest.approx(oracle.r_q.value, rel=1e-12, abs=1e-30, nan_ok=True)
            assert torch.equal(ours.means, oracle.means)


def test_each_element_is_evaluated_once_and_in_batches_across_models(monkeypatch):
    monkeypatch.setattr(evaluated, "FIRST_BATCH", 10)
    asked = []

    def losses(vectors):
        asked.append(vectors.clone())
        return distance_losses(vectors)

    stack = torch.randint(0, 2, (4, 60, 4), generator=torch.Generator().manual_seed(0)).float()
    trajectory = Trajectory(4, losses)
    for epochs in stack.split(7, dim=1):
        trajectory.update(epochs)
    trajectory.rates()
    everything = torch.cat(asked)
    assert len(everything) == sum(trajectory.elements)
    assert len(asked[0]) == 10
    assert everything.dtype == torch.float32
    union = {tuple(vector) for path in stack for vector in path.tolist()}
    assert {tuple(vector) for vector in everything.tolist()} == union


def test_the_row_of_an_element_is_the_order_of_its_first_visit():
    best, worse = torch.zeros(3), torch.ones(3)
    stack = torch.stack([torch.stack([worse, worse, best]), torch.stack([best, worse, best])])
    trajectory = Trajectory(2, lambda vectors: vectors)
    trajectory.update(stack)
    assert [found.r_q.best for found in trajectory.rates()] == [1, 0]


@pytest.mark.parametrize("memory", [0, 3000, 2**20])
def test_beyond_its_memory_it_goes_to_an_unlinked_file(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "SEGMENT", 1000)
    stack = torch.randn(3, 40, 9, generator=torch.Generator().manual_seed(0))
    stack[:, 20:30] = stack[:, :10]
    trajectory = Trajectory(3, distance_losses, memory=memory, folder=tmp_path)
    for epochs in stack.split(11, dim=1):
        trajectory.update(epochs)
    assert os.listdir(tmp_path) == []
    assert trajectory.elements == [30, 30, 30]
    assert trajectory.rates() == expected(stack)
    del trajectory
    gc.collect()


def test_elements_beyond_bfloat16_are_kept_exactly():
    """The first are stored in bfloat16; the last differ only beyond it and may not be merged or rounded."""
    coarse = torch.tensor([[[1.0, 2.0], [1.0, 2.0]]])
    fine = torch.tensor([[[1.0, 2.0], [1.0 + 2**-20, 2.0], [1.0, 2.0 + 2**-20]]])
    trajectory = Trajectory(1, distance_losses)
    trajectory.update(coarse)
    trajectory.update(fine)
    assert trajectory.elements == [3]
    assert trajectory.rates() == expected(fine)


@pytest.mark.parametrize("width", [1, 2, 3, 256])
def test_sign_vectors_have_different_fingerprints(width):
    """Two flipped signs are what a plain sum of odd multiples misses."""
    vectors = torch.ones(1 + width * (width - 1) // 2 if width < 256 else 2000, width)
    pairs = torch.combinations(torch.arange(width))
    for row, pair in zip(vectors[1:], pairs, strict=False):
        row[pair] = -1
    words = elements.as_words(elements.canonical(vectors))
    assert len(elements.fingerprints(words).unique()) == len(vectors)


@given(path=paths, cut=st.integers(0, 12))
@settings(max_examples=30)
def test_it_goes_on_from_its_state(path, cut):
    stack = torch.from_numpy(path)
    before = Trajectory(len(stack), distance_losses)
    if cut:
        before.update(stack[:, :cut])
    after = Trajectory(len(stack), distance_losses)
    after.load_state_dict(before.state_dict())
    assert after.elements == before.elements
    after.update(stack[:, cut:])
    before.update(stack[:, cut:])
    assert after.elements == before.elements
    assert repr(after.rates()) == repr(before.rates())


def test_its_state_survives_a_file(tmp_path):
    before = Trajectory(1, distance_losses)
    before.update(torch.randn(1, 5, 3))
    torch.save(before.state_dict(), tmp_path / "state.pt")
    after = Trajectory(1, distance_losses)
    after.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert after.rates() == before.rates()
    with pytest.raises(InputError, match="of 1 models, this one has 2"):
        Trajectory(2, distance_losses).load_state_dict(Trajectory(1, distance_losses).state_dict())


def test_rates_close_it_unless_told_to_keep():
    trajectory = Trajectory(1, distance_losses)
    trajectory.update(torch.randn(1, 3, 2))
    first = trajectory.rates(keep=True)
    trajectory.update(torch.randn(1, 3, 2))
    assert trajectory.rates(certificate=True)[0].r_q.elements == 6 > first[0].r_q.elements
    assert trajectory.rates() is trajectory.rates()
    assert trajectory.elements == [6]
    with pytest.raises(RuntimeError, match="keep=True"):
        trajectory.update(torch.randn(1, 3, 2))
    with pytest.raises(RuntimeError, match="keep=True"):
        trajectory.state_dict()


def test_without_a_visit_there_are_no_rates():
    trajectory = Trajectory(2, distance_losses)
    assert trajectory.elements == [0, 0]
    with pytest.raises(InputError, match="visited no element"):
        trajectory.rates()
    trajectory.update(torch.zeros(2, 0, 3))
    with pytest.raises(InputError, match="visited no element"):
        trajectory.rates()


def test_a_model_that_diverged_is_named():
    trajectory = Trajectory(2, lambda vectors: vectors.log())
    trajectory.update(torch.tensor([[[1.0, 2.0]], [[1.0, -1.0]]]))
    with pytest.raises(InputError, match="Model 1, quantized, has NaN losses"):
        trajectory.rates()


def test_losses_of_another_shape_are_refused():
    trajectory = Trajectory(1, lambda vectors: vectors[0])
    trajectory.update(torch.randn(1, 3, 2))
    with pytest.raises(InputError, match=r"must return \[3, N\], a row for each element, got shape \(2,\)"):
        trajectory.rates()


@pytest.mark.parametrize(
    "bad",
    [
        torch.zeros(2, 3),
        torch.zeros(3, 1, 2),
        torch.zeros(2, 1, 3),
        torch.zeros(2, 1, 2).double(),
        torch.zeros(2, 1, 2).long(),
    ],
)
def test_elements_of_another_kind_are_refused(bad):
    trajectory = Trajectory(2, distance_losses)
    trajectory.update(torch.zeros(2, 1, 2))
    with pytest.raises(InputError, match=r"models=2, epochs, P\] with P and dtype 2 and torch.float32 as before"):
        trajectory.update(bad)
