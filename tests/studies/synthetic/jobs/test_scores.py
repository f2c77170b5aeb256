from __future__ import annotations

import numpy as np
import pytest
import torch

from quantleak.studies.synthetic.jobs.scores import at_equal_counts, crossfit, neighbours, scores, searched_rate
from quantleak.theory import cramer_rate, finite_rate, privacy_rate
from quantleak.theory.gaps import gaps


def table(elements: int = 30, examples: int = 200, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.gamma(2.0, size=(elements, examples)) + 0.02 * np.arange(elements)[:, None])


def test_every_score_is_what_it_is_called() -> None:
    losses = table()
    found = scores(gaps(losses), 64)
    assert found["r_q"] == float(privacy_rate(losses))
    assert found["cramer"] == float(cramer_rate(losses))
    assert [found["finite"], found["finite_4"], found["finite_16"]] == [finite_rate(losses, n) for n in (64, 16, 1024)]
    ordered = losses[losses.mean(1).argsort()]
    differences = (ordered[1:] - ordered[0]).numpy()
    ratio = differences.mean(1) ** 2 / differences.var(1)
    assert found["tenth"] == pytest.approx(np.sort(ratio)[9] / 2)
    assert found["harmonic"] == pytest.approx(1 / np.mean(2 / ratio))
    assert found["closest"] == ratio.argmin() + 2
    assert found["elements"] == 30


def test_crossfit_is_negative_where_the_chosen_element_loses_on_the_other_half() -> None:
    losses = torch.tensor([[0.0] * 50 + [9.0] * 50, [5.0] * 50 + [1.0] * 50])
    losses += 0.1 * torch.rand(losses.shape, generator=torch.Generator().manual_seed(0))
    assert crossfit(losses) < 0
    assert np.isnan(crossfit(losses[:1]))


def test_crossfit_agrees_with_r_q_where_both_halves_are_the_same() -> None:
    losses = table(examples=100).repeat(1, 2)
    assert crossfit(losses) == pytest.approx(float(privacy_rate(losses)))


def test_equal_counts_take_the_last_and_the_best() -> None:
    tables = {"few": table(5), "many": table(30, seed=1)}
    found = at_equal_counts({name: gaps(each) for name, each in tables.items()}, np.random.default_rng(0))
    assert found["few"] == pytest.approx(dict.fromkeys(found["few"], float(privacy_rate(tables["few"]))))
    assert found["many"]["equal_last"] == float(privacy_rate(tables["many"][-5:]))
    best = tables["many"][tables["many"].mean(1).argsort()[:5]]
    assert found["many"]["equal_best"] == float(privacy_rate(best))


def test_neighbours_differ_in_one_weight_by_one_step() -> None:
    best = torch.tensor([-1.0, 0.0, 1.0, 1.0, 0.0])
    found = neighbours(best)
    expected = set()
    for place, value in enumerate(best.tolist()):
        for other in {-1.0: [0.0], 0.0: [-1.0, 1.0], 1.0: [0.0]}[value]:
            changed = best.tolist()
            changed[place] = other
            expected.add(tuple(changed))
    assert {tuple(row) for row in found.tolist()} == expected
    assert len(found) == len(expected)


def test_searched_rate_is_that_of_the_listed_set() -> None:
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    best = torch.tensor([1.0, -1.0, 1.0])

    def losses(flat: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.softplus(-(flat @ points.T))

    listed = torch.stack([best, *(best * torch.tensor([1 - 2 * (i == j) for j in range(3)]) for i in range(3))])
    rate, better = searched_rate(best, losses)
    assert rate == pytest.approx(float(privacy_rate(losses(listed))))
    means = losses(listed).mean(1)
    assert better == pytest.approx(float((means[1:] < means[0]).double().mean()))
