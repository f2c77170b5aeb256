"""The trajectory in both modes against a dict of bytes, and each mode against the other."""

from __future__ import annotations

import functools
import gc
import hashlib
import os
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.store import rows as store_rows
from quantleak.theory import rates
from quantleak.trajectory import Trajectory
from quantleak.trajectory import trajectory as module
from quantleak.trajectory.fingerprint import vector_digest

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


@given(
    path=paths,
    dtype=st.sampled_from(DTYPES),
    chunk=st.integers(1, 5),
    keep_vectors=st.booleans(),
    first_batch=st.integers(1, 9),
)
@settings(max_examples=100)
def test_it_holds_what_a_set_of_bytes_holds(path, dtype, chunk, keep_vectors, first_batch):
    stack = torch.from_numpy(path).to(dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_BATCH", first_batch)
        trajectory = Trajectory(len(stack), distance_losses, keep_vectors=keep_vectors)
        for epochs in stack.split(chunk, dim=1):
            trajectory.update(epochs)
        assert trajectory.elements == [len(distinct_by_bytes(vectors)) for vectors in stack]
        for ours, oracle in zip(trajectory.rates(), expected(stack), strict=True):
            assert ours.r_q.elements == oracle.r_q.elements
            assert ours.r_q.value == pytest.approx(oracle.r_q.value, rel=1e-12, abs=1e-30, nan_ok=True)
            assert torch.equal(ours.means, oracle.means)


def rounded_by_batch(vectors: torch.Tensor) -> torch.Tensor:
    """Losses that depend on which vectors share a batch, as those of batched products do in their last bits."""
    return distance_losses(vectors) * (1 + 1e-6 * float(vectors.double().sum()))


@given(path=paths, chunk=st.integers(1, 5), first_batch=st.integers(1, 9), small=st.booleans())
@settings(max_examples=50)
def test_both_modes_compute_the_losses_of_the_same_batches(path, chunk, first_batch, small):
    stack = torch.from_numpy(path)
    tables = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_BATCH", first_batch)
        patch.setattr(module, "LOSS_BATCH", 100)
        if small:
            patch.setattr(module, "VECTOR_BATCH", 16)
        for keep_vectors in (True, False):
            trajectory = Trajectory(len(stack), rounded_by_batch, keep_vectors=keep_vectors)
            for epochs in stack.split(chunk, dim=1):
                trajectory.update(epochs)
            tables.append(list(trajectory.loss_tables()))
    assert all(torch.equal(one, other) for one, other in zip(*tables, strict=True))


def kept(trajectory: Trajectory) -> int:
    """Bytes of what a trajectory keeps: all tensors and digests, wherever they lie."""
    state = trajectory.state_dict()
    tensors = sum(value.nbytes for value in state.values() if isinstance(value, torch.Tensor))
    return tensors + sum(map(len, state.get("digests", ())))


@pytest.mark.parametrize("parameters", [7, 100_000])
def test_digests_keep_bytes_that_do_not_depend_on_the_number_of_parameters(parameters):
    models, epochs, examples = 2, 20, 5
    trajectory = Trajectory(models, lambda vectors: vectors[:, :examples], keep_vectors=False)
    whole = Trajectory(models, lambda vectors: vectors[:, :examples])
    alive = []
    for _ in range(epochs):
        drawn = torch.randn(models, 1, parameters)
        trajectory.update(drawn)
        whole.update(drawn)
        alive.append(sum(vector.nbytes for vector in trajectory._distinct._waiting))
    assert max(alive) <= module.VECTOR_BATCH
    distinct = models * epochs
    assert kept(trajectory) == distinct * (32 + 4 * examples + 8)  # 8 for the number of the model
    assert kept(whole) >= distinct * (4 * parameters + 4 * examples)
    assert not trajectory._distinct._waiting
    assert len(pickle.dumps(trajectory._losses)) < distinct * 4 * examples + 2000


def test_a_large_vector_is_dropped_with_its_update():
    """A vector as large as a batch waits for no other."""
    trajectory = Trajectory(2, lambda vectors: vectors[:, :3], keep_vectors=False)
    for _ in range(3):
        trajectory.update(torch.randn(2, 1, module.VECTOR_BATCH // 4))
        assert not trajectory._distinct._waiting
    assert trajectory.elements == [3, 3]


@pytest.mark.parametrize("by", ["losses", "function"])
def test_modules_quantized_in_turn_are_added_by_digest(by):
    stack = torch.randint(0, 2, (2, 30, 4), generator=torch.Generator().manual_seed(0)).float()
    trajectory, computed = Trajectory(2, keep_vectors=False), []

    def losses(vector):
        computed.append(vector)
        return distance_losses(vector[None])[0]

    for model, path in enumerate(stack):
        for vector in path:
            found = hashlib.sha256(vector.numpy().tobytes()).digest()
            new = not trajectory.has(model, found)
            given = functools.partial(losses, vector) if by == "function" else distance_losses(vector[None])[0]
            assert trajectory.add(model, found, given) == new
            assert trajectory.has(model, found)
    assert by == "losses" or len(computed) == sum(trajectory.elements)
    for ours, oracle in zip(trajectory.rates(), expected(stack), strict=True):
        assert (ours.r_q, ours.cramer) == (oracle.r_q, oracle.cramer)


def test_updates_and_digests_mix():
    stack = torch.arange(12.0).view(1, 6, 2)
    trajectory = Trajectory(1, distance_losses, keep_vectors=False)
    trajectory.update(stack[:, :3])
    for vector in stack[0, 1:5]:
        trajectory.add(0, vector_digest(vector), distance_losses(vector[None])[0])
    trajectory.update(stack[:, 2:])
    assert trajectory.elements == [6]
    assert torch.equal(next(trajectory.loss_tables()), distance_losses(stack[0]))


def fails() -> torch.Tensor:
    raise OSError("in the middle")


@pytest.mark.parametrize(
    ("model", "found", "losses", "message"),
    [
        (1, bytes(32), torch.ones(3), "a model from 0 to 0 and a SHA-256 of 32 bytes, got model 1"),
        (-1, bytes(32), torch.ones(3), "got model -1"),
        (0, bytes(31), torch.ones(3), "and 31 bytes"),
        (0, bytes(32), torch.ones(4), r"\[1, 3\].*shape \(1, 4\)"),
        (0, bytes(32), torch.tensor([1.0, 2.0, torch.nan]), "Model 0, quantized, has NaN losses"),
        (0, bytes(32), fails, "in the middle"),
    ],
)
def test_what_cannot_be_added_leaves_the_trajectory_as_it_was(model, found, losses, message):
    trajectory = Trajectory(1, keep_vectors=False)
    trajectory.add(0, b"1" * 32, torch.ones(3))
    with pytest.raises((InputError, OSError), match=message):
        trajectory.add(model, found, losses)
    assert trajectory.elements == [1]
    assert not trajectory.has(0, bytes(32))
    assert trajectory.add(0, bytes(32), torch.zeros(3))
    assert torch.equal(next(trajectory.loss_tables()), torch.tensor([[1.0] * 3, [0.0] * 3]))


def test_each_mode_refuses_what_it_does_not_keep():
    full, digests = (Trajectory(1, distance_losses, keep_vectors=keep) for keep in (True, False))
    for trajectory in (full, digests):
        trajectory.update(torch.randn(1, 3, 2))
    with pytest.raises(InputError, match="keep_vectors=False"):
        full.has(0, bytes(32))
    with pytest.raises(InputError, match="keep_vectors=False"):
        full.add(0, bytes(32), torch.ones(7))
    with pytest.raises(InputError, match="keep_vectors=True"):
        digests.tables()
    with pytest.raises(InputError, match="keeps vectors, and the state is of one that keeps digests only"):
        full.load_state_dict(digests.state_dict())
    with pytest.raises(InputError, match="keeps digests only, and the state is of one that keeps vectors"):
        digests.load_state_dict(full.state_dict())
    without_losses = Trajectory(1, keep_vectors=False)
    without_losses.update(torch.randn(1, 1, 2))
    with pytest.raises(InputError, match="no function that computes losses"):
        without_losses.rates()


def test_each_element_is_evaluated_once_and_in_batches_across_models(monkeypatch):
    monkeypatch.setattr(module, "FIRST_BATCH", 10)
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


@pytest.mark.parametrize("keep_vectors", [True, False])
@pytest.mark.parametrize("memory", [0, 3000, 2**20])
def test_beyond_its_memory_it_goes_to_a_file_without_a_name(memory, keep_vectors, tmp_path, monkeypatch):
    monkeypatch.setattr(store_rows, "SEGMENT", 1000)
    stack = torch.randn(3, 40, 9, generator=torch.Generator().manual_seed(0))
    stack[:, 20:30] = stack[:, :10]
    trajectory = Trajectory(3, distance_losses, keep_vectors=keep_vectors, memory=memory, folder=tmp_path)
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


@given(path=paths, cut=st.integers(0, 12), keep_vectors=st.booleans())
@settings(max_examples=30)
def test_it_goes_on_from_its_state(path, cut, keep_vectors):
    stack = torch.from_numpy(path)
    before = Trajectory(len(stack), distance_losses, keep_vectors=keep_vectors)
    if cut:
        before.update(stack[:, :cut])
    after = Trajectory(len(stack), distance_losses, keep_vectors=keep_vectors)
    after.load_state_dict(before.state_dict())
    assert after.elements == before.elements
    after.update(stack[:, cut:])
    before.update(stack[:, cut:])
    assert after.elements == before.elements
    assert repr(after.rates()) == repr(before.rates())


@pytest.mark.parametrize("keep_vectors", [True, False])
def test_its_state_survives_a_file(tmp_path, keep_vectors):
    before = Trajectory(1, distance_losses, keep_vectors=keep_vectors)
    before.update(torch.randn(1, 5, 3))
    torch.save(before.state_dict(), tmp_path / "state.pt")
    after = Trajectory(1, distance_losses, keep_vectors=keep_vectors)
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
