"""A job that runs in one thread, whatever engine runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantleak.engines.engine import Job
from quantleak.threads import one_thread


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
