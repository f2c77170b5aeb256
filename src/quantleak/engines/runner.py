"""Runs the jobs of a run that are not done yet: all there is to resuming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from quantleak.engines.engine import Engine, Job
from quantleak.engines.threads import InOneThread
from quantleak.store import Folder, Output

Results = dict[str, Any]
"""What jobs left, by key: records of the class that a job names as its `output`, or `(arrays, plain values)`."""

Progress = Callable[[str, int, int], None]
"""Called with `(stage, done, total)`."""


class Runner:
    """Runs jobs on an engine, stores what each leaves in a folder as it ends, and returns what all of them left.

    Args:
        folder: Where results of finished jobs lie.
        engine: Where jobs run; no number depends on it.
        progress: Called at the begin and after every finished job.
    """

    def __init__(self, folder: Folder, engine: Engine, progress: Progress | None = None) -> None:
        self.folder, self.engine = folder, engine
        self.progress: Progress = progress or (lambda stage, done, total: None)

    def on(self, engine: Engine) -> Runner:
        """The same runner on another engine."""
        return Runner(self.folder, engine, self.progress)

    def run(self, stage: str, jobs: Mapping[str, Job], shared: Any = None) -> Results:
        """Run those of `jobs` that are not done; returns what all of them left, by key."""
        return self.together({stage: jobs}, shared)[stage]

    def together(self, stages: Mapping[str, Mapping[str, Job]], shared: Any = None) -> dict[str, Results]:
        """Run stages that do not need each other: no worker waits for the last job of one. Keys differ between them."""
        stage_of = {key: stage for stage, jobs in stages.items() for key in jobs}
        every = [(key, job) for jobs in stages.values() for key, job in jobs.items()]
        todo = {key: InOneThread(job) for key, job in every if not self.folder.done(key, _output(job))}
        done = {stage: sum(key not in todo for key in jobs) for stage, jobs in stages.items()}
        for stage, jobs in stages.items():
            if jobs and (done[stage] == len(jobs) or stage == next(iter(stages))):
                self.progress(stage, done[stage], len(jobs))
        # Closed where storing or reporting fails, so that no job runs on unattended.
        with closing(self.engine.run(todo, shared)) as results:
            for key, result in results:
                self.folder.save(key, result)
                stage = stage_of[key]
                done[stage] += 1
                self.progress(stage, done[stage], len(stages[stage]))
        return {
            stage: {key: self.folder.load(key, _output(job)) for key, job in jobs.items()}
            for stage, jobs in stages.items()
        }


def _output(job: Job) -> type[Output] | None:
    """The class of the record that a job returns."""
    return getattr(job, "output", None)
