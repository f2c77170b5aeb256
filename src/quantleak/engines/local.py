"""Jobs in processes of this machine, one thread each."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import Any

import joblib
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError
from threadpoolctl import threadpool_limits

Job = Callable[[], Any]
SECONDS_BETWEEN_LOOKS = 1.0


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(jobs: Mapping[str, Job], workers: int) -> Iterator[tuple[str, Any]]:
    """Run jobs and hand over `(key, result)` as each ends, in whatever order.

    Large arrays inside jobs are shared with the workers as memory maps. Workers end with the process that started
    them, however that ends.

    Raises:
        ChildProcessError: If a worker was killed.
    """
    if workers == 1 or len(jobs) <= 1:
        for key, job in jobs.items():
            yield _alone(key, job)
        return
    # A worker that holds on to the memory of large jobs is replaced by a new one, and no number depends on that.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
    parallel = joblib.Parallel(
        n_jobs=min(workers, len(jobs)), return_as="generator_unordered", mmap_mode="c", pre_dispatch="n_jobs"
    )
    try:
        yield from parallel(joblib.delayed(_in_worker)(os.getpid(), key, job) for key, job in jobs.items())
    except TerminatedWorkerError as error:
        raise ChildProcessError("A worker process was killed, perhaps for want of memory; try --workers 1") from error


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


def _alone(key: str, job: Job) -> tuple[str, Any]:
    with one_thread():
        return key, job()


def _in_worker(parent: int, key: str, job: Job) -> tuple[str, Any]:
    _end_with(parent)
    return _alone(key, job)


@cache
def _end_with(parent: int) -> None:
    """Watch the parent of this process from now on: nobody else ends a worker in the middle of a job."""
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
