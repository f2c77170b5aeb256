"""Views of an image under which a model is queried: the same for every model, so that queries are aligned."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from quantleak.errors import InputError, nearest

View = Callable[[Tensor], Tensor]
IDENTITY = "identity"
FLIP = "flip"
SHIFTS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
"""Rows and columns by which an image moves for each pixel of a shift."""


def view(name: str) -> View:
    """The view of a name, a function of images `[examples, channels, height, width]`.

    Args:
        name: `identity`; `flip`, left and right exchanged; `left:2`, `right:2`, `up:2` or `down:2`, moved by so many
            pixels, zeros where nothing comes in: the mean of the population, by which pixels are standardised.

    Raises:
        InputError: If there is no such view.

    Example:
        >>> import torch
        >>> view("right:1")(torch.tensor([[[[1.0, 2.0, 3.0]]]]))
        tensor([[[[0., 1., 2.]]]])
    """
    kind, _, pixels = name.partition(":")
    if name == IDENTITY:
        return lambda images: images
    if name == FLIP:
        return lambda images: images.flip(-1)
    if kind in SHIFTS and pixels.isdecimal() and int(pixels) > 0:
        rows, columns = (step * int(pixels) for step in SHIFTS[kind])
        return lambda images: _moved(images, rows, columns)
    known = (IDENTITY, FLIP, *(f"{kind}:2" for kind in SHIFTS))
    raise InputError(f"Unknown query '{name}'.{nearest(kind, [IDENTITY, FLIP, *SHIFTS])} Queries: {', '.join(known)}.")


def require_images(names: tuple[str, ...], input_shape: tuple[int, ...]) -> None:
    """Refuse views other than the identity of examples that are no images.

    Raises:
        InputError: If one example has not the shape `[channels, height, width]`, or a shift leaves nothing of it.
    """
    others = [name for name in names if name != IDENTITY]
    if others and len(input_shape) != 3:
        raise InputError(
            f"The query '{others[0]}' is a view of an image, but one example has shape {input_shape}; leave "
            "queries out."
        )
    for name in others:
        kind, _, pixels = name.partition(":")
        if pixels and int(pixels) >= input_shape[1 if kind in ("up", "down") else 2]:
            raise InputError(f"The query '{name}' leaves nothing of an image of {input_shape[1]} x {input_shape[2]}.")


def _moved(images: Tensor, rows: int, columns: int) -> Tensor:
    # Negative padding cuts what leaves the image on the other side.
    return functional.pad(images, (columns, -columns, rows, -rows))
