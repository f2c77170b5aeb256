"""Which model is trained on which example: the exact design of LiRA, drawn by group."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.errors import InputError
from quantleak.rng import stream


def membership(models: int, groups: npt.NDArray[Any], seed: int, share: float = 0.5) -> npt.NDArray[np.bool_]:
    r"""Draw `member[model, example]`; every group is in exactly :math:`\lfloor \mathrm{share} \cdot K \rfloor` models.

    Each (model, group) gets a uniform key; a model holds the group if the key's rank among the K models is below that
    count. Models hold about, not exactly, a `share` of the examples.

    Args:
        models: Number of models, K.
        groups: `[n]`, the group of each example of the pool; equal labels share all memberships.
        seed: Draws the design.
        share: Part of the models that hold an example, between 0 and 1.

    Returns:
        bool `[models, n]`.

    Raises:
        InputError: If there are fewer than 2 models, or the share leaves every example in no model or in all.

    Example:
        >>> membership(4, np.array([0, 1, 2, 2]), seed=0).sum(axis=0)
        array([2, 2, 2, 2])
    """
    if models < 2:
        raise InputError(f"A membership design needs at least 2 models, got {models}. Try models=64.")
    # 0.29 * 100 is 28.999..., which must still count as 29.
    count = math.floor(share * models + 1e-9) if 0 < share < 1 else 0
    if not 0 < count < models:
        raise InputError(
            f"share={share} of {models} models leaves no example both in some models and out of others; "
            "choose 0.5, or more models."
        )
    _, index = np.unique(groups, return_inverse=True)
    keys = stream(seed, "membership").random((int(index.max(initial=-1)) + 1, models))
    holders = np.argpartition(keys, count - 1, axis=1)[:, :count]
    design = np.zeros(keys.shape, bool)
    np.put_along_axis(design, holders, True, axis=1)
    return np.ascontiguousarray(design[index].T)
