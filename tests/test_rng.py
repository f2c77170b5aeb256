import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.rng import stream


def test_a_stream_repeats_and_purposes_and_seeds_differ():
    drawn = {(seed, purpose): tuple(stream(seed, purpose).random(4)) for seed in (0, 1) for purpose in ("a", "b")}
    assert tuple(stream(0, "a").random(4)) == drawn[0, "a"]
    assert len(set(drawn.values())) == 4


@pytest.mark.parametrize("seed", [-1, True])
def test_a_seed_that_is_no_count_is_refused(seed):
    with pytest.raises(InputError, match="0 or larger"):
        stream(seed, "a")


def test_numbers_are_uniform():
    assert abs(np.mean(stream(7, "a").random(10_000)) - 0.5) < 0.02
