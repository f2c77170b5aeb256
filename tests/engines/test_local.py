from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quantleak
from quantleak.engines import Local, processors
from quantleak.errors import InputError
from quantleak.testing import check_engine

# Jobs are functions inside functions here: workers cannot import this module.
KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from quantleak.engines import Local

def job(shared):
    (Path(sys.argv[1]) / "runs").touch()
    time.sleep(600)

list(Local(2).run({"a": job, "b": job}, np.zeros(1000)))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_the_engine_does_what_every_engine_must(workers: int) -> None:
    check_engine(lambda: Local(workers))


def test_as_many_workers_as_processors_and_at_least_one() -> None:
    assert Local().workers == processors()
    with pytest.raises(InputError, match="at least 1, got 0"):
        Local(0)


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_may_not_write_into_what_they_share(workers: int) -> None:
    shared = {"values": np.zeros(10)}
    with pytest.raises(ValueError, match="read-only"):
        list(Local(workers).run({name: lambda s: s["values"].fill(1) for name in "ab"}, shared))
    shared["values"].fill(1)


def test_in_this_process_arrays_are_not_copied() -> None:
    shared = np.arange(5)
    results = Local(1).run({"a": lambda s: s[0], "b": lambda s: s[0]}, shared)
    shared[0] = 3
    assert next(results) == ("a", 3)
    shared[0] = 4
    assert next(results) == ("b", 4)


def test_workers_read_shared_data_from_one_file_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def look(shared: tuple[np.ndarray, list[int]]) -> tuple[int, int, list[str]]:
        seen = shared[1]
        seen.append(1)
        maps = Path("/proc/self/maps")
        lines = maps.read_text().splitlines() if maps.exists() else []
        return os.getpid(), len(seen), [line for line in lines if str(tmp_path) in line]

    found = [result for _, result in Local(2).run({f"{n}": look for n in range(8)}, (np.zeros(100_000), []))]
    assert not list(tmp_path.iterdir())
    for process in {process for process, _, _ in found}:
        counts = [count for one, count, _ in found if one == process]
        assert sorted(counts) == list(range(1, len(counts) + 1)), "the worker read its shared data anew"
    if sys.platform == "linux":
        assert all(len(maps) == 1 and " r--s " in maps[0] for _, _, maps in found)


def test_nothing_is_left_after_an_error_and_after_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def where(shared: Any) -> int:
        return os.getpid()

    def slow(folder: str) -> None:
        (Path(folder) / str(os.getpid())).touch()
        time.sleep(600)

    def fail(shared: Any) -> None:
        time.sleep(2)
        raise KeyError("no such thing")

    processes = tmp_path / "processes"
    processes.mkdir()
    results = Local(2).run({"quick": where, **{f"slow-{n}": slow for n in range(3)}}, str(processes))
    next(results)
    until(lambda: any(processes.iterdir()))
    results.close()
    with pytest.raises(KeyError, match="no such thing"):
        list(Local(2).run({"slow": slow, "fail": fail}, str(processes)))
    assert [path.name for path in tmp_path.iterdir()] == ["processes"]
    until(lambda: not any(is_running(int(path.name)) for path in processes.iterdir()))


def test_a_killed_worker_is_an_error_with_advice() -> None:
    def end(shared: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ChildProcessError, match="try --workers 1"):
        list(Local(2).run({"a": end, "b": end}))


def test_the_file_of_shared_data_does_not_outlive_a_killed_process(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    package = str(Path(quantleak.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "TMPDIR": str(temporary)}
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], env=environment, stderr=subprocess.PIPE) as command:
        try:
            until(lambda: (tmp_path / "runs").exists())
            assert list(temporary.glob("quantleak-*/arrays"))
        finally:
            command.kill()
    until(lambda: not list(temporary.glob("quantleak-*")))


def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, for a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
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
