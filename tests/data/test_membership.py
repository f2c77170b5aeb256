import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quantleak.data import membership
from quantleak.errors import InputError


@given(st.integers(2, 40), st.lists(st.integers(0, 9), max_size=30), st.integers(0, 1000))
def test_every_example_is_in_exactly_half_of_the_models_and_groups_go_together(models, groups, seed):
    member = membership(models, np.array(groups, np.int64), seed)
    assert member.shape == (models, len(groups))
    assert (member.sum(axis=0) == models // 2).all()
    for group in set(groups):
        columns = member[:, np.array(groups) == group]
        assert (columns == columns[:, :1]).all()


@pytest.mark.parametrize(("share", "models", "count"), [(0.29, 100, 29), (0.1, 30, 3), (0.3, 7, 2), (0.9, 10, 9)])
def test_the_share_is_the_floor_without_rounding_errors(share, models, count):
    assert (membership(models, np.arange(20), 0, share).sum(axis=0) == count).all()


def test_the_design_is_seeded():
    groups = np.arange(50)
    assert (membership(8, groups, 0) == membership(8, groups, 0)).all()
    assert (membership(8, groups, 0) != membership(8, groups, 1)).any()


def test_models_are_exchangeable_and_groups_independent():
    member = membership(16, np.arange(4000), 0)
    # Held counts are binomial; neighbours share a model as often as chance says.
    assert stats.chisquare(member.sum(axis=1)).pvalue > 1e-3
    together = (member[:, ::2] & member[:, 1::2]).mean()
    assert abs(together - 0.25) < 0.01


def test_the_design_depends_on_the_grouping_not_on_the_labels():
    np.testing.assert_array_equal(membership(6, np.array([5, 5, 9]), 0), membership(6, np.array([0, 0, 1]), 0))


@pytest.mark.parametrize("models", [0, 1])
def test_one_model_is_no_design(models):
    with pytest.raises(InputError, match="at least 2 models"):
        membership(models, np.arange(5), 0)


@pytest.mark.parametrize(("share", "models"), [(0.0, 8), (1.0, 8), (0.1, 4), (float("nan"), 8), (-0.5, 8)])
def test_a_share_that_leaves_no_contrast(share, models):
    with pytest.raises(InputError, match=r"choose 0.5, or more models"):
        membership(models, np.arange(5), 0, share)
