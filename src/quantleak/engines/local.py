"""Jobs in processes of this machine, one torch thread each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import joblib
import torch

Job = Callable[[], Any]


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(jobs: Mapping[str, Job], workers: int) -> Iterator[tuple[str, Any]]:
    """Run jobs and hand over `(key, result)` as each ends, in whatever order.

    Two torch threads on two busy cores are 10 to 50 times slower than one on small tensors, so each worker has one.
    Large arrays inside jobs are shared with the workers as memory maps.
    """
    if workers == 1 or len(jobs) <= 1:
        for key, job in jobs.items():
            yield key, _alone(key, job)[1]
        return
    parallel = joblib.Parallel(
        n_jobs=min(workers, len(jobs)), return_as="generator_unordered", mmap_mode="c", pre_dispatch="n_jobs"
    )
    yield from parallel(joblib.delayed(_alone)(key, job) for key, job in jobs.items())


def _alone(key: str, job: Job) -> tuple[str, Any]:
    """Run one job with one torch thread and with denormal numbers (below 1e-38) counted as zero.

    Losses of coarsely quantized models are full of denormals, on which this makes `softplus` five times faster.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        return key, job()
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
