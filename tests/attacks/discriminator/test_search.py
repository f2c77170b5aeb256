"""Which configuration is kept, and what is said of those that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from quantleak.attacks.discriminator import SEARCH, Candidate, Discriminator, discriminator
from quantleak.errors import InputError

LOSS = Candidate(inputs="loss", width=0)
QUICK = Discriminator(search=(LOSS, Candidate(inputs="paper", width=8, learning_rate=1e-2)), epochs=5, batch=40)


def test_the_search_keeps_what_validates_best_and_says_what_does_not_fit(world):
    drawn = world(shift=1.0)
    found = discriminator(**drawn | {"parameters": drawn["parameters"][:, :3]}, settings=Discriminator(epochs=2))
    assert [trial.candidate for trial in found.trials] == list(SEARCH)
    tried = [trial for trial in found.trials if trial.accuracy is not None]
    assert found.chosen == max(tried, key=lambda trial: trial.accuracy).candidate
    assert all(len(trial.history) == 3 for trial in tried)
    assert {trial.reason for trial in found.trials[-2:]} == {
        "alignment needs one parameter per feature, got 3 parameters and 4 features"
    }
    fields = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert fields["models"] == {"train": 24, "validation": 8, "test": 8}
    assert fields["trials"][-1]["accuracy"] is None
    only = Discriminator(search=SEARCH[-2:])
    drawn["targets"][found.split.test[0], 0] = 2
    with pytest.raises(InputError, match=r"No configuration .* targets 0 and 1\. Add Candidate\(inputs='paper'\)"):
        discriminator(**drawn, settings=only)


def test_losses_of_zero_and_inputs_that_never_vary_are_no_obstacle(world):
    drawn = world(shift=3.0)
    drawn["losses"][drawn["losses"] < 0.1] = 0.0
    drawn["features"][..., 0] = 5.0
    drawn["parameters"][:] = 1.0
    found = discriminator(**drawn, settings=Discriminator(epochs=2))
    assert found.accuracy.low > 0.85
    assert np.isfinite(found.scores).all()
    nothing = discriminator(**drawn | {"losses": np.zeros_like(drawn["losses"])}, settings=QUICK)
    assert nothing.loss_accuracy.value == 0.5
