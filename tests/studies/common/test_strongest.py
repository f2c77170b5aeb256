from __future__ import annotations

import numpy as np
import pytest

from quantleak.studies.common.strongest import strongest


def test_it_finds_the_strongest_and_measures_it_on_the_other_half() -> None:
    random = np.random.default_rng(0)
    accuracies = {name: mean + 0.02 * random.normal(size=200) for name, mean in (("a", 0.6), ("b", 0.7), ("c", 0.5))}
    found = strongest(accuracies, 200)
    assert found.chosen == ("b", "b")
    assert found.value == pytest.approx(2 * (1 - accuracies["b"].mean()))
    low, high = np.quantile(found.resampled, [0.025, 0.975])
    assert low < 0.6 < high


def test_choosing_among_useless_attacks_does_not_make_one_useful() -> None:
    # The best of 50 on the data that judge it would show .5 + 2.2 * .05 / sqrt(20): a bound of about .95.
    values = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        accuracies = {str(k): 0.5 + 0.05 * random.normal(size=20) for k in range(50)}
        values.append(strongest(accuracies, 10).value)
        assert 2 * (1 - max(v.mean() for v in accuracies.values())) < 0.97
    assert np.mean(values) > 0.985


def test_attacks_may_have_different_numbers_of_models() -> None:
    found = strongest({"few": np.full(8, 0.8), "many": np.full(100, 0.6)}, 20)
    assert found.chosen == ("few", "few")
    assert found.value == pytest.approx(0.4)
    assert found.each == pytest.approx({"few": 0.8, "many": 0.6})
