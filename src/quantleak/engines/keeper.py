"""Runs the jobs of a run that are not done yet: all there is to resuming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quantleak.engines.local import run
from quantleak.errors import InputError
from quantleak.store import Folder

Progress = Callable[[str, int, int], None]
"""Called with `(stage, done, total)`."""


class Keeper:
    """Runs jobs in processes, keeps what each leaves in the folder, and answers what all of them left.

    Args:
        folder: Where finished jobs lie.
        workers: Processes; no number depends on it.
        progress: Told of every finished job; None tells nobody.

    Raises:
        InputError: If there is less than one worker.
    """

    def __init__(self, folder: Folder, workers: int, progress: Progress | None = None) -> None:
        if workers < 1:
            raise InputError(f"workers must be at least 1, got {workers}.")
        self.folder, self.workers = folder, workers
        self.progress: Progress = progress or (lambda stage, done, total: None)

    def __call__(
        self, stage: str, jobs: Mapping[str, Callable[[], Any]]
    ) -> dict[str, tuple[dict[str, np.ndarray], Any]]:
        """Run those of `jobs` that are not done; answers `(arrays, plain values)` of all, by key."""
        todo = {key: job for key, job in jobs.items() if not self.folder.done(key)}
        self.progress(stage, len(jobs) - len(todo), len(jobs))
        for done, (key, (arrays, meta)) in enumerate(run(todo, self.workers), len(jobs) - len(todo) + 1):
            self.folder.keep(key, arrays, meta)
            self.progress(stage, done, len(jobs))
        return {key: self.folder.load(key) for key in jobs}
