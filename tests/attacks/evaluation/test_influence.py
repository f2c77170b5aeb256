"""Influences against DeLong's variance and the jackknife."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.attacks.evaluation.influence import auc_influence, share_influence, tpr_influence
from quantleak.attacks.evaluation.table import score_table


def drawn(seed: int, examples: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = rng.permuted(np.arange(examples) % 2 == 0)
    scores = rng.normal(size=examples) + member
    return (np.round(scores, 1) if ties else scores)[None], member[None]


@given(seed=st.integers(0, 10**6), ties=st.booleans())
def test_the_squares_of_an_auc_sum_to_delongs_variance(seed, ties):
    scores, member = drawn(seed, 24, ties)
    inside, outside = scores[member], scores[~member]
    kernel = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)
    delong = kernel.mean(1).var(ddof=1) / len(inside) + kernel.mean(0).var(ddof=1) / len(outside)
    found = auc_influence(score_table(scores, member))
    assert (found**2).sum() == pytest.approx(delong)
    assert found[member].sum() == pytest.approx(0, abs=1e-12)
    assert found[~member].sum() == pytest.approx(0, abs=1e-12)


@given(seed=st.integers(0, 10**6))
def test_a_share_has_the_binomial_variance(seed):
    rng = np.random.default_rng(seed)
    hits, among = rng.random((2, 30)) < 0.4, rng.random((2, 30)) < 0.7
    among[:, :2] = True
    found = share_influence(hits, among)
    assert (found[~among] == 0).all()
    for row, hit, inside in zip(found, hits, among, strict=True):
        own = hit[inside].astype(float)
        assert (row**2).sum() == pytest.approx(own.var(ddof=1) / len(own))


def test_the_squares_of_a_tpr_sum_to_its_variance_over_fresh_samples():
    scores, member = (np.concatenate(one) for one in zip(*(drawn(seed, 400) for seed in range(300)), strict=True))
    table = score_table(scores, member)
    found = tpr_influence(table, 0.1)
    # 300 normal values know their variance to 8%.
    assert (found**2).sum(axis=1).mean() == pytest.approx(table.tpr_at_exactly(0.1).var(ddof=1), rel=0.25)
    for side in (member, ~member):
        np.testing.assert_allclose((found * side).sum(axis=1), 0, atol=1e-12)
