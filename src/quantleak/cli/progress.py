"""Progress with the time left, on stderr: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _Stage:
    started: float
    before: int
    said: float = -math.inf


class Progress:
    """Called with `(stage, done, total)`; shows nothing if `quiet`. Stages may overlap."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._stages: dict[str, _Stage] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bar = self._make_bar() if sys.stderr.isatty() and not quiet else None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report that `done` of `total` parts of a stage are finished."""
        if self._quiet:
            return
        if self._bar is not None:
            if stage not in self._tasks:
                self._tasks[stage] = self._bar.add_task(stage, total=total, completed=done)
            self._bar.update(self._tasks[stage], completed=done)
        else:
            self._line(stage, done, total)

    def _line(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        known = self._stages.setdefault(stage, _Stage(started=now, before=done))
        if now - known.said < _SECONDS_BETWEEN_LINES and done < total:
            return
        known.said = now
        fresh = done - known.before
        left = f", {(now - known.started) / fresh * (total - done):.0f} s left" if fresh and done < total else ""
        sys.stderr.write(f"{stage}: {done} of {total}{left}\n")
        sys.stderr.flush()

    @staticmethod
    def _make_bar() -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
        return RichProgress(*columns, console=Console(stderr=True))

    def __enter__(self) -> Progress:
        """Start drawing."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        if self._bar is not None:
            self._bar.stop()
