"""Runs jobs in processes of this machine."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import tempfile
import time
import warnings
from collections.abc import Collection, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import Any

import cloudpickle
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend import resource_tracker
from joblib.externals.loky.process_executor import TerminatedWorkerError

from quantleak.engines.engine import Job
from quantleak.errors import InputError

SECONDS_BETWEEN_LOOKS = 1.0
ALIGNMENT = 64
"""Bytes to a multiple of which every array begins in the file of shared data."""
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Of a worker: pools of more threads would take memory and never be used."""


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Local:
    """Processes of this machine; with one, or for one job, everything runs in this process.

    Shared data are written once to a temporary file that every worker maps into its memory, so that its contiguous
    arrays are in memory once for all workers; jobs see them read-only, in this process too, where they are views.
    Workers end with the process that started them, however that ends, and so does the file.

    Args:
        workers: Processes; all processors if None. No number depends on it.

    Raises:
        InputError: If there is less than one worker.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = processors() if workers is None else workers
        if self.workers < 1:
            raise InputError(f"workers must be at least 1, got {workers}.")

    def run(self, jobs: Mapping[str, Job], shared: Any = None) -> Generator[tuple[str, Any]]:
        """Run jobs and hand over `(key, result)` as each ends; see :class:`~quantleak.engines.Engine`.

        Raises:
            ChildProcessError: If a worker was killed.
        """
        workers = min(self.workers, len(jobs))
        if workers <= 1:
            arrays, rest = _parts(shared)
            views = pickle.loads(rest, buffers=[array.toreadonly() for array in arrays])
            yield from ((key, job(views)) for key, job in jobs.items())
            return
        with _written(shared) as path:
            try:
                yield from _in_workers(jobs, path, workers)
            except TerminatedWorkerError as error:
                raise ChildProcessError(
                    "A worker process was killed, perhaps for want of memory; try --workers 1"
                ) from error


def _in_workers(jobs: Mapping[str, Job], path: str, workers: int) -> Generator[tuple[str, Any]]:
    # A worker that holds on to the memory of large jobs is replaced by a new one, and no number depends on that.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor", UserWarning)
    executor = get_reusable_executor(max_workers=workers, env=THREADS)
    waiting, running = iter(jobs.items()), dict[Future[Any], str]()
    try:
        while True:
            # As many again as run, so that no worker waits for the caller to take a result.
            for key, job in islice(waiting, 2 * workers - len(running)):
                running[executor.submit(_in_worker, os.getpid(), path, job)] = key
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        if running:
            _wait_until_handed_over(running)
            executor.shutdown(kill_workers=True)


def _wait_until_handed_over(futures: Collection[Future[Any]]) -> None:
    """Wait until all jobs are on their way to a worker: loky's own thread fails over others when workers are killed."""
    end = time.monotonic() + SECONDS_BETWEEN_LOOKS
    while time.monotonic() < end and not all(future.running() or future.done() for future in futures):
        time.sleep(0.001)


def _parts(shared: Any) -> tuple[list[memoryview], bytes]:
    """The memory of all contiguous arrays of an object, and the pickle of the rest."""
    arrays: list[pickle.PickleBuffer] = []
    rest: bytes = cloudpickle.dumps(shared, protocol=5, buffer_callback=arrays.append)
    return [array.raw() for array in arrays], rest


@contextmanager
def _written(shared: Any) -> Iterator[str]:
    """Write an object: its arrays one after another into one file, where they lie and the rest into another."""
    with tempfile.TemporaryDirectory(prefix="quantleak-", ignore_cleanup_errors=True) as folder:
        resource_tracker.register(folder, "folder")  # removed by another process if this one is killed
        try:
            arrays, rest = _parts(shared)
            places: list[tuple[int, int]] = []
            with (Path(folder) / "arrays").open("wb") as file:
                for array in arrays:
                    file.write(bytes(-file.tell() % ALIGNMENT))
                    places.append((file.tell(), file.write(array)))
                file.write(b"\0")  # an empty file cannot be mapped
            (Path(folder) / "rest").write_bytes(pickle.dumps((places, rest)))
            del arrays, rest
            yield folder
        finally:
            resource_tracker.unregister(folder, "folder")


@lru_cache(maxsize=1)
def _read(folder: str) -> Any:
    """The object of `_written`, once per worker."""
    places, rest = pickle.loads((Path(folder) / "rest").read_bytes())
    with (Path(folder) / "arrays").open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return pickle.loads(rest, buffers=[mapped[start : start + size] for start, size in places])


def _in_worker(parent: int, folder: str, job: Job) -> Any:
    _end_with(parent)
    result = job(_read(folder))
    _keep_imports()
    return result


@cache
def _keep_imports() -> None:
    """Once, after the first job of a worker: garbage collection then passes over all that was imported."""
    gc.collect()
    gc.freeze()


@cache
def _end_with(parent: int) -> None:
    """Watch the parent of this process from now on: nothing else ends a worker in the middle of a job."""
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
