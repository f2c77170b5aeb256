"""The recorder in both modes against Algorithm 1 written out for a block of linear models."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from quantleak.errors import InputError
from quantleak.models import network
from quantleak.ptq import Elementwise
from quantleak.quantizers import quantizer
from quantleak.theory import rates
from quantleak.trajectory import recorder as module
from quantleak.trajectory.recorder import Recorder, validation_losses

SPECS = ("sign", "uniform:2")
WIDTH = 5
NETWORK = network("linear?bias=false", (WIDTH,), 1)
DRAWN = torch.Generator().manual_seed(0)
FEATURES = torch.randn(9, WIDTH, generator=DRAWN)
TARGETS = torch.randint(0, 2, (9,), generator=DRAWN)


def recorder(models: int, keep_vectors: bool | None = None) -> Recorder:
    losses = validation_losses(NETWORK, "binary", FEATURES, TARGETS)
    rules = [Elementwise(rule=quantizer(spec)) for spec in SPECS]
    return Recorder(losses, NETWORK.layout, rules, models, keep_vectors=keep_vectors)


def walk(models: int, epochs: int, seed: int) -> Tensor:
    """Weights [models, epochs, P] that often return to where they were."""
    drawn = torch.Generator().manual_seed(seed)
    return torch.randint(-2, 3, (models, epochs, WIDTH), generator=drawn) + 0.5


def algorithm_1(spec: str, path: Tensor) -> Tensor:
    """The oracle: losses [K, N] of the distinct quantized models of one path, by torch alone."""
    seen: dict[tuple[float, ...], Tensor] = {}
    for weight in path:
        quantized = quantizer(spec)(weight[None])
        loss = functional.binary_cross_entropy_with_logits(FEATURES @ quantized[0], TARGETS.float(), reduction="none")
        seen.setdefault(tuple(quantized[0].tolist()), loss)
    return torch.stack(list(seen.values()))


@given(
    models=st.integers(1, 3),
    epochs=st.integers(2, 15),
    seed=st.integers(0, 999),
    keep_vectors=st.booleans(),
    buffer=st.sampled_from([1, 200, 1 << 22]),
)
@settings(max_examples=40)
def test_it_finds_what_algorithm_1_finds(models: int, epochs: int, seed: int, keep_vectors: bool, buffer: int) -> None:
    stack, made = walk(models, epochs, seed), recorder(models, keep_vectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BUFFER_BYTES", buffer)
        for flat in stack.unbind(1):
            made.update(flat)
        certificates, found = made.certificates(1), made.rates()
    for spec in SPECS:
        for model, path in enumerate(stack):
            oracle = rates(algorithm_1(spec, path), certificate=True)
            ours = found[spec][model]
            assert ours.r_q.elements == oracle.r_q.elements
            for one, other in ((ours.r_q, oracle.r_q), (ours.cramer, oracle.cramer)):
                assert one.value == pytest.approx(other.value, rel=1e-3, abs=1e-9, nan_ok=True)
            if not model:
                assert len(certificates[spec]) == (not math.isnan(oracle.cramer.value))


def test_both_modes_give_the_same_rates_bit_for_bit() -> None:
    both = [recorder(3, keep) for keep in (True, False)]
    for flat in walk(3, 200, 0).unbind(1):
        for made in both:
            made.update(flat)
    full, digests = both
    with pytest.raises(InputError, match="keep_vectors=True"):
        next(digests.tables())
    assert repr(full.certificates(2)) == repr(digests.certificates(2))
    assert repr(full.rates()) == repr(digests.rates())


@pytest.mark.parametrize(("most", "keeps"), [(WIDTH, True), (WIDTH - 1, False)])
def test_the_number_of_parameters_decides_unless_it_is_told(
    most: int, keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PARAMETERS", most)
    for asked in (None, True, False):
        made = recorder(1, asked)
        made.update(walk(1, 1, 0)[:, 0])
        if asked or (asked is None and keeps):
            vectors, losses = next(made.tables())["sign"]
            assert (vectors.shape, losses.shape) == ((1, WIDTH), (1, len(TARGETS)))
        else:
            with pytest.raises(InputError, match="digests only"):
                next(made.tables())
