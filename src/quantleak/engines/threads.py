"""One thread and no denormal numbers: what makes a job's numbers the same wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from quantleak.engines.engine import Job


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and BLAS, and denormal numbers (below 1e-38) counted as zero.

    Two torch threads on two busy cores are 10 to 50 times slower than one on small tensors, and BLAS sums in another
    order with more threads: last bits would depend on where a job runs. Losses of coarsely quantized models are full
    of denormals, on which flushing makes `softplus` five times faster.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class InOneThread:
    """A job that runs in one thread whatever engine runs it."""

    job: Job

    @property
    def resources(self) -> Mapping[str, Any]:
        """What the job needs from an engine."""
        return getattr(self.job, "resources", {})

    def __call__(self, shared: Any) -> Any:
        """The job's result."""
        with one_thread():
            return self.job(shared)
