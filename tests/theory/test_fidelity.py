from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quantleak import InputError
from quantleak.theory import fidelity


@given(seed=st.integers(0, 10_000), models=st.integers(1, 4))
def test_it_is_pearsons_correlation(seed: int, models: int) -> None:
    random = np.random.default_rng(seed)
    one, two = random.normal(size=(2, models, 30))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(fidelity(torch.from_numpy(one), torch.from_numpy(two)), expected, atol=1e-12)


def test_scale_and_shift_of_the_quantized_model_do_not_count() -> None:
    outputs = torch.randn(50, generator=torch.Generator().manual_seed(0))
    assert float(fidelity(3 * outputs + 7, outputs)) == pytest.approx(1)
    assert float(fidelity(-outputs, outputs)) == pytest.approx(-1)


def test_through_a_noisy_channel_the_members_shift_shrinks_with_it() -> None:
    # f = N(0, 1) for others and N(s, 1) for members; the quantized model adds noise that knows nothing of them.
    random = np.random.default_rng(0)
    shift, noise = 1.0, 1.5
    others, members = random.normal(size=200_000), shift + random.normal(size=200_000)
    seen = [f + noise * random.normal(size=len(f)) for f in (others, members)]
    kept = float(fidelity(torch.from_numpy(seen[0]), torch.from_numpy(others)))
    assert (seen[1].mean() - seen[0].mean()) / seen[0].std() == pytest.approx(kept * shift, abs=0.01)


def test_edges() -> None:
    assert torch.isnan(fidelity(torch.ones(4), torch.arange(4.0)))
    with pytest.raises(InputError, match="same examples"):
        fidelity(torch.ones(4), torch.ones(5))
    with pytest.raises(InputError, match="any two models correlate perfectly"):
        fidelity(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 2.0]))
    with pytest.raises(InputError, match="original has outputs that are NaN or infinite"):
        fidelity(torch.ones(3), torch.tensor([0.0, 1.0, torch.inf]))
