"""The seam between jobs and the place where they run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, runtime_checkable

Job = Callable[[Any], Any]
"""A small picklable callable, `job(shared) -> result`.

It may have an attribute `resources`, such as `{"gpus": 1}`, for engines that schedule by them.
"""


@runtime_checkable
class Engine(Protocol):
    """Runs jobs somewhere and knows nothing of what they are; `quantleak.testing.check_engine` checks one."""

    def run(self, jobs: Mapping[str, Job], shared: Any = None) -> Generator[tuple[str, Any]]:
        """Run every job once and hand over `(key, result)` as each ends, in whatever order.

        Closing the iterator ends the jobs that still run.

        Args:
            jobs: By key.
            shared: Read-only data of all jobs, brought once to where they run and not with every job. What jobs get
                equals it, but its arrays may refuse to be written, and no write of a job reaches the caller's.

        Raises:
            Exception: What a job raised.
        """
