"""Progress with the time left, on stderr: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Called with `(stage, done, total)`; shows nothing if `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._stage, self._started, self._said = "", 0.0, 0.0
        self._bar = self._make_bar() if sys.stderr.isatty() and not quiet else None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report that `done` of `total` parts of a stage are finished."""
        if self._quiet:
            return
        if self._bar is not None:
            if stage != self._stage:
                self._task = self._bar.add_task(stage, total=total, completed=done)
            self._bar.update(self._task, completed=done)
        else:
            self._line(stage, done, total)
        self._stage = stage

    def _line(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._started, self._before = now, done
        elif now - self._said < _SECONDS_BETWEEN_LINES and done < total:
            return
        self._said = now
        fresh = done - self._before
        left = f", {(now - self._started) / fresh * (total - done):.0f} s left" if fresh and done < total else ""
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
