"""Arrays that do not fit each other are refused."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks.discriminator import discriminator
from quantleak.errors import InputError


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parameters": np.zeros(40)}, r"parameters must be \[models, parameters\] and not empty, got shape \(40,\)"),
        ({"parameters": np.zeros((40, 0))}, "not empty"),
        ({"features": np.zeros((39, 40, 4))}, r"for the 40 models of parameters, got shape \(39, 40, 4\)"),
        ({"features": np.zeros((40, 40))}, r"features must be \[models, examples, features\]"),
        ({"targets": np.zeros((40, 39))}, r"targets has shape \(40, 39\), expected \(40, 40\)"),
        ({"losses": np.zeros(40)}, r"losses has shape \(40,\), expected \(40, 40\)"),
        ({"losses": np.full((40, 40), -0.5)}, "losses must be 0 or larger, got -0.5; pass the loss"),
        (
            {"losses": np.where(np.eye(40) == 1, np.nan, 1.0)},
            r"losses has 40 values that are NaN or infinite as float64, the first at index .0, 0.",
        ),
        ({"features": np.full((40, 40, 4), 1e300)}, "features has 6400 values that are NaN or infinite as float32"),
        ({"member": np.zeros((40, 39))}, r"member has shape \(40, 39\), expected \(40, 40\)"),
        ({"member": np.arange(1600).reshape(40, 40) % 4 == 0}, "40 models differ, the first is model 0 with 10 and 30"),
        ({"member": np.full((40, 40), 2)}, "member must hold True and False"),
    ],
)
def test_bad_arrays_are_refused(world, changed, message):
    with pytest.raises(InputError, match=message):
        discriminator(**world() | changed)
