"""Transforms of batches against a loop that changes one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from quantleak.errors import InputError
from quantleak.fleet import Augment, augment


def one_at_a_time(images: Tensor, spec: str, generator: torch.Generator) -> np.ndarray:
    """Each image by itself, in NumPy; the numbers are drawn as documented: one call per transform and batch."""
    arrays = [image.numpy() for image in images]
    for part in spec.split(","):
        name, _, padding = part.partition(":")
        if name == "flip":
            chosen = torch.rand(len(images), generator=generator).tolist()
            arrays = [one[:, :, ::-1] if draw < 0.5 else one for one, draw in zip(arrays, chosen, strict=True)]
        else:
            p = int(padding)
            offsets = torch.randint(2 * p + 1, (2, len(images)), generator=generator).tolist()
            for place, (i, j) in enumerate(zip(*offsets, strict=True)):
                channels, height, width = arrays[place].shape
                canvas = np.zeros((channels, height + 2 * p, width + 2 * p), np.float32)
                canvas[:, p : p + height, p : p + width] = arrays[place]
                arrays[place] = canvas[:, i : i + height, j : j + width]
    return np.stack(arrays)


@given(
    spec=st.sampled_from(["flip", "crop:1", "crop:3", "flip,crop:2", "crop:2,flip"]),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(4, 9), st.integers(4, 9)),
    seed=st.integers(0, 99),
    channels_last=st.booleans(),
)
def test_a_batch_is_changed_as_its_images_one_by_one(
    spec: str, shape: tuple[int, ...], seed: int, channels_last: bool
) -> None:
    images = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    if channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    before = images.clone()
    found = augment(spec)(images, torch.Generator().manual_seed(seed))
    np.testing.assert_array_equal(found.numpy(), one_at_a_time(images, spec, torch.Generator().manual_seed(seed)))
    assert torch.equal(images, before)


def test_every_shift_and_both_sides_come_equally_often() -> None:
    images = torch.zeros(9000, 1, 5, 5)
    images[:, 0, 2, 1] = 1  # left of the middle: a flip is seen
    generator = torch.Generator().manual_seed(0)
    places = augment("crop:1")(images, generator).flatten(1).argmax(1)
    counts = torch.bincount(places, minlength=25).view(5, 5)[1:4, 0:3].flatten()
    assert counts.sum() == 9000
    assert (counts - 1000).abs().max() < 5 * 1000**0.5
    flipped = augment("flip")(images, generator)[:, 0, 2, 3].sum().item()
    assert abs(flipped - 4500) < 5 * (9000 / 4) ** 0.5


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    images = torch.randn(3, 1, 4, 4)
    assert augment("")(images, torch.Generator()) is images
    assert augment("") == Augment()


@pytest.mark.parametrize(
    ("spec", "canonical"), [("", ""), (" flip , crop:4 ", "flip,crop:4"), ("crop:4,flip", "crop:4,flip")]
)
def test_specs_round_trip(spec: str, canonical: str) -> None:
    assert augment(spec).spec == canonical
    assert augment(canonical) == augment(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("filp", "Unknown transform 'filp'. Did you mean 'flip'.*There are flip, crop"),
        ("crop", "'padding' is missing; for example 'crop:4'"),
        ("crop:0", "padding must be at least 1 pixel, got 0"),
        ("crop:x", "'padding' must be a whole number, got 'x'"),
        ("flip:3", "takes 0 values after ':', got 1"),
    ],
)
def test_bad_specs_are_explained(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        augment(spec)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, which CI does not have")
def test_a_gpu_changes_images_as_processors_do() -> None:
    images = torch.randn(50, 3, 8, 8)
    expected = augment("flip,crop:2")(images, torch.Generator().manual_seed(3))
    found = augment("flip,crop:2")(images.cuda(), torch.Generator().manual_seed(3))
    assert found.is_cuda
    assert torch.equal(found.cpu(), expected)
