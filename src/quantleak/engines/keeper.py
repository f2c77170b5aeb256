"""Runs the jobs of a run that are not done yet: all there is to resuming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from quantleak.engines.local import run
from quantleak.errors import InputError
from quantleak.store import Folder

Kept = dict[str, tuple[dict[str, np.ndarray], Any]]
"""What jobs left: `(arrays, plain values)` by key."""

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

    def __call__(self, stage: str, jobs: Mapping[str, Callable[[], Any]]) -> Kept:
        """Run those of `jobs` that are not done; answers `(arrays, plain values)` of all, by key."""
        return self.together({stage: jobs})[stage]

    def together(self, stages: Mapping[str, Mapping[str, Callable[[], Any]]]) -> dict[str, Kept]:
        """Run stages that do not need each other: no worker waits for the last job of one. Keys differ between them."""
        todo = {key: job for jobs in stages.values() for key, job in jobs.items() if not self.folder.done(key)}
        stage_of = {key: stage for stage, jobs in stages.items() for key in jobs}
        done = {stage: sum(key not in todo for key in jobs) for stage, jobs in stages.items()}
        for stage, jobs in stages.items():
            if jobs and (done[stage] == len(jobs) or stage == next(iter(stages))):
                self.progress(stage, done[stage], len(jobs))
        for key, (arrays, meta) in run(todo, self.workers):
            self.folder.keep(key, arrays, meta)
            stage = stage_of[key]
            done[stage] += 1
            self.progress(stage, done[stage], len(stages[stage]))
        return {stage: {key: self.folder.load(key) for key in jobs} for stage, jobs in stages.items()}
