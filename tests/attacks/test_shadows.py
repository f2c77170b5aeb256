"""Arrays of an attack laid out one row per example and query; arrays that do not fit are refused."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks.shadows import LARGEST, NotEnoughShadows, arrange, by_chunks, finite
from quantleak.errors import InputError


def arrays(queries: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "target": rng.normal(size=(3, 5, queries)),
        "shadows": rng.normal(size=(6, 5, queries)),
        "member": rng.random((6, 5)) < 0.5,
        "use": rng.random((6, 5)) < 0.8,
    }


def test_rows_are_examples_with_their_queries_side_by_side():
    given = arrays()
    found = arrange(**given)
    for t, n, q in np.ndindex(3, 5, 2):
        assert found.target[t, 2 * n + q] == given["target"][t, n, q]
    for s, n, q in np.ndindex(6, 5, 2):
        row = 2 * n + q
        assert found.shadows[row, s] == given["shadows"][s, n, q]
        assert found.inside[row, s] == (given["use"][s, n] and given["member"][s, n])
        assert found.outside[row, s] == (given["use"][s, n] and not given["member"][s, n])
    scores = found.mean_over_queries(found.target)
    np.testing.assert_allclose(scores, given["target"].mean(axis=2))


def test_one_target_has_no_leading_axis_in_its_scores():
    given = arrays(1)
    found = arrange(given["target"][0, :, 0], given["shadows"][..., 0], given["member"], None)
    assert found.mean_over_queries(found.target).shape == (5,)
    assert (found.inside | found.outside).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shadows": np.zeros(4)}, r"shadows must be \[models, examples\] or"),
        ({"shadows": np.zeros((0, 5, 2))}, "and not empty"),
        ({"target": np.zeros((5, 3))}, r"it must be \(5, 2\) or \[targets\] \+ that"),
        ({"target": np.zeros((1, 3, 5, 2))}, r"it must be \(5, 2\)"),
        ({"member": np.zeros((6, 4), dtype=bool)}, r"member has shape \(6, 4\), expected \(6, 5\)"),
        ({"use": np.full((6, 5), 2)}, "use must hold True and False"),
        (
            {"target": np.full((3, 5, 2), np.nan)},
            r"target has 30 NaN or infinite values, the first .* \(0, 0, 0\)",
        ),
        ({"shadows": np.full((6, 5, 2), -2 * LARGEST)}, "shadows has 60 values beyond 1e"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(InputError, match=message):
        arrange(**arrays() | changed)


def test_the_prefix_names_the_callers_arrays():
    with pytest.raises(InputError, match="population_shadows has"):
        arrange(np.zeros(2), np.full((3, 2), np.inf), np.zeros((3, 2), dtype=bool), None, prefix="population_")


def test_the_number_of_shadows_that_a_refusal_proposes_is_enough_for_leave_one_out():
    member = np.array([[True, False], [True, False], [False, True], [True, False]])
    columns = arrange(np.zeros(2), np.zeros((4, 2)), member, None)
    columns.require(1, 1, attack="X")
    with pytest.raises(
        NotEnoughShadows, match="2 IN shadows and 2 OUT .* 2 of 2 .* with 3 IN and 1 OUT.* at least 6 models"
    ):
        columns.require(2, 2, attack="X")


def test_chunks_give_what_the_whole_would():
    a, b = np.random.default_rng(0).normal(size=(2, 1300, 4))
    np.testing.assert_array_equal(by_chunks(lambda x, y: np.stack([(x * y).sum(1), x[:, 0]]), a, b)[0], (a * b).sum(1))


def test_signals_become_float64():
    assert finite(np.arange(3), "x").dtype == np.float64
