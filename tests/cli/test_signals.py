"""Signals end the command as Ctrl-C does: one line, the code that shells expect, and no worker left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import quantleak
from quantleak.cli import Stopped, stopped_by_signals

COMMAND = """
import os, time
from pathlib import Path
from quantleak import cli, engines

def job(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)

@cli.app.command()
def work(folder: str):
    list(engines.Local(2).run({"a": job, "b": job}, folder))

cli.main()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_is_an_exception_with_its_exit_code(name: str) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Stopped) as stop, stopped_by_signals():
            signal.raise_signal(number)
        assert stop.value.code == 128 + number
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminated_command_leaves_no_worker(tmp_path: Path) -> None:
    package = str(Path(quantleak.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "work", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": package},
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            until(lambda: len(list(tmp_path.iterdir())) == 2, command)
            command.terminate()
            _, told = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == 143, told
    assert told.strip() == "Stopped. The same command continues where it was."
    until(lambda: not any(is_running(int(worker.name)) for worker in tmp_path.iterdir()))


def until(holds: Callable[[], bool], command: subprocess.Popen[str] | None = None) -> None:
    """Wait until a condition holds, for a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        assert command is None or command.poll() is None
        time.sleep(0.1)


def is_running(process: int) -> bool:
    """Whether a process runs; one that ended does not, even if nobody waited for it."""
    try:
        os.kill(process, 0)
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return True
