"""Views of images: against NumPy's own flips and slices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from quantleak.errors import InputError
from quantleak.models import require_images, view

IMAGES = np.random.default_rng(0).normal(size=(3, 2, 5, 6)).astype(np.float32)


def _expected(name: str) -> np.ndarray:
    moved = np.zeros_like(IMAGES)
    if name == "left:2":
        moved[..., :-2] = IMAGES[..., 2:]
    elif name == "right:2":
        moved[..., 2:] = IMAGES[..., :-2]
    elif name == "up:1":
        moved[..., :-1, :] = IMAGES[..., 1:, :]
    elif name == "down:1":
        moved[..., 1:, :] = IMAGES[..., :-1, :]
    return {"identity": IMAGES, "flip": IMAGES[..., ::-1]}.get(name, moved)


@pytest.mark.parametrize("name", ["identity", "flip", "left:2", "right:2", "up:1", "down:1"])
def test_a_view_is_what_its_name_says(name: str) -> None:
    np.testing.assert_array_equal(view(name)(torch.from_numpy(IMAGES)).numpy(), _expected(name))


@pytest.mark.parametrize("name", ["flipp", "left", "left:0", "left:-1", "left:x", "", "flip:2"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="Unknown query .* Queries: identity, flip"):
        view(name)


def test_views_are_of_images_only() -> None:
    require_images(("identity",), (7,))
    require_images(("flip", "left:4"), (1, 5, 5))
    with pytest.raises(InputError, match="'flip' is a view of an image, but one example has shape"):
        require_images(("identity", "flip"), (7,))
    with pytest.raises(InputError, match="'up:5' leaves nothing of an image of 5 x 6"):
        require_images(("up:5",), (1, 5, 6))
