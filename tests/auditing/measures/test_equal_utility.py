"""Noise at equal utility: the point of interpolation by hand, and the interval by repetition."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import Crossed
from quantleak.auditing.measures.equal_utility import Point, at_equal_utility


def _figure(mean: float, rng: np.random.Generator | None = None, models: int = 8, groups: int = 60) -> Crossed:
    if rng is None:
        return Crossed(values=np.full(models, mean), influence=np.zeros((models, groups)))
    cells = rng.normal(scale=0.1, size=(models, groups)) / groups
    return Crossed(values=mean + cells.sum(axis=1), influence=cells - cells.mean(axis=1, keepdims=True))


NOISE = {0.0: (0.9, 0.40), 0.5: (0.8, 0.20), 1.0: (0.6, 0.10), 2.0: (0.2, 0.02)}


def _points(rng: np.random.Generator | None = None) -> list[Point]:
    return [Point(factor=f, utility=_figure(u, rng), leakage=_figure(leak, rng)) for f, (u, leak) in NOISE.items()]


@pytest.mark.parametrize(
    ("utility", "factor", "leakage"),
    [(0.7, 0.75, 0.15), (0.85, 0.25, 0.30), (0.6, 1.0, 0.10), (0.95, 0.0, 0.40), (0.9, 0.0, 0.40)],
)
def test_it_is_interpolated_where_the_utility_is_the_quantizers(utility: float, factor: float, leakage: float) -> None:
    found = at_equal_utility(_figure(utility), _figure(0.12), _points()[::-1], 0.95)
    assert found.factor == pytest.approx(factor)
    assert float(found.noise) == pytest.approx(leakage)
    assert found.value == pytest.approx(0.12 - leakage)
    assert [point.factor for point in found.curve] == [0.0, 0.5, 1.0, 2.0]
    assert [point.leakage for point in found.curve] == pytest.approx([0.4, 0.2, 0.1, 0.02])


def test_where_no_noise_costs_as_much_there_is_a_reason() -> None:
    found = at_equal_utility(_figure(0.1), _figure(0.12), _points(), 0.95)
    assert found.value is None
    assert found.reason == "noise 2 times as large as the quantizer's error still keeps more utility"


def test_what_is_uncertain_of_the_utility_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    sure = at_equal_utility(_figure(0.7), _figure(0.12, rng), _points(), 0.95)
    unsure = at_equal_utility(_figure(0.7, rng), _figure(0.12, rng), _points(), 0.95)
    assert unsure.high is not None
    assert unsure.low is not None
    assert sure.high is not None
    assert sure.low is not None
    assert unsure.high - unsure.low > sure.high - sure.low


def test_the_interval_covers() -> None:
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        found = at_equal_utility(_figure(0.7, rng), _figure(0.12, rng), _points(rng), 0.95)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.12 - 0.15 <= found.high
    assert hits >= 276  # 285 expected
