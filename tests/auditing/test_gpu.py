"""An audit on a GPU finds what one on processors finds; without a GPU nothing is tested."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from quantleak.auditing import Settings
from quantleak.auditing.block import BlockJob
from quantleak.auditing.plan import make_plan
from quantleak.data import bundled


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU, which CI does not have")
@pytest.mark.parametrize("model", ["linear", "mlp:8"])
def test_a_block_of_models_is_the_same_on_a_gpu(model: str) -> None:
    found = {}
    for device in ("cpu", "cuda"):
        settings = Settings(model=model, models=4, epochs=5, device=device, quantizers=("identity", "sign"))
        found[device] = BlockJob((0, 1, 2, 3))(make_plan(bundled("breast_cancer"), settings))
    (expected, rates), (arrays, others) = found["cpu"], found["cuda"]
    for part in ("pool", "population", "test"):
        np.testing.assert_allclose(arrays[part][:, 0], expected[part][:, 0], rtol=1e-3, atol=1e-3)
    assert rates["rates"].keys() == others["rates"].keys()
    assert all(np.isfinite(one["r_q"]["value"]) for one in others["rates"]["sign"])
