from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from quantleak.engines import run


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_run_once_with_one_torch_thread(workers: int) -> None:
    before = torch.get_num_threads()
    jobs = {f"sum-{n}": partial(np.sum, np.full(500_000, float(n))) for n in range(4)}
    assert dict(run(jobs, workers)) == {f"sum-{n}": n * 5e5 for n in range(4)}
    assert dict(run({"a": torch.get_num_threads, "b": torch.get_num_threads}, workers)) == {"a": 1, "b": 1}
    assert torch.get_num_threads() == before


def test_a_failing_job_fails_the_run() -> None:
    with pytest.raises(ZeroDivisionError):
        list(run({"a": lambda: 1, "b": lambda: 1 // 0}, 2))
