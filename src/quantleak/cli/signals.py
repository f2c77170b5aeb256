"""Signals that end the command: all as Ctrl-C does, so that workers end with it and locks are released."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""What Ctrl-C sends; what `kill`, schedulers and containers send; and what a closed terminal does."""
NOT_SET = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(BaseException):
    """A signal asked the command to end. No KeyboardInterrupt, which typer takes for itself.

    Attributes:
        code: The exit code that shells expect: 128 and the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within this block the signals of `NAMES` raise `Stopped`, but for those that are ignored, as `nohup` has it."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in numbers if here}
    ours = [number for number, handler in before.items() if handler in NOT_SET]
    for number in ours:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
