"""What every engine must do: run each job once, pass shared data unchanged, pass on errors, and end when cancelled."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from quantleak.engines import Engine, Job
from quantleak.errors import InputError
from quantleak.testing.expect import expect

MANY = 25
LARGE = 4_000_000
"""Numbers of float64 in the large array, 32 MB."""
BEAT, LASTS, PATIENCE = 0.05, 30.0, 10.0
"""Seconds between signs of life of a job, until it ends by itself, and until one that was cancelled must have ended."""


def check_engine(make_engine: Callable[[], Engine]) -> None:
    """Check an engine with small jobs; takes some seconds.

    Jobs leave signs of life in a temporary folder of this machine.

    Args:
        make_engine: Called with no arguments.

    Raises:
        AssertionError: Saying what it does wrong.

    Example:
        >>> from quantleak.engines import Local
        >>> check_engine(lambda: Local(workers=1))
    """
    engine = make_engine()
    _check_jobs(engine)
    _check_shared(engine)
    _check_writes(engine)
    _check_large(engine)
    for raised in (ZeroDivisionError("nothing to divide by"), InputError("Give another number.")):
        _check_error(engine, raised)
    _check_closing(engine)
    _check_jobs(engine)


def _check_jobs(engine: Engine) -> None:
    expect(not list(engine.run({}, "shared")), "Without a job there must be no result.")
    for count in (1, MANY):
        jobs = {f"job-{number}": partial(_with_number, number) for number in range(count)}
        for shared in (None, "first", "second"):
            found = list(engine.run(jobs, shared))
            keys = sorted(key for key, _ in found)
            expect(keys == sorted(jobs), f"Each of {count} jobs must give one result under its key, got {keys}.")
            wanted = {f"job-{number}": (number, shared) for number in range(count)}
            expect(dict(found) == wanted, f"Jobs must get the shared data of their run, got {dict(found)}.")


def _check_shared(engine: Engine) -> None:
    shared = _every_kind()
    for key, found in engine.run({name: partial(_facts_of, name) for name in shared}, shared):
        expect(found == _facts(shared[key]), f"Shared data must arrive as they are; {key} is another.")


def _check_writes(engine: Engine) -> None:
    shared = _every_kind()
    list(engine.run({f"write-{name}": partial(_write, name) for name in shared}, shared))
    for name, values in _every_kind().items():
        expect(_facts(shared[name]) == _facts(values), f"A job's write reached the caller's {name}.")


def _check_large(engine: Engine) -> None:
    shared = np.random.default_rng(0).random(LARGE)
    jobs = {f"{number}": partial(_part, number, 3) for number in range(3)}
    for key, found in engine.run(jobs, shared):
        same = np.array_equal(found, shared[int(key) :: 3])
        expect(same, "A large result, or large shared data, do not arrive as they are.")


def _check_error(engine: Engine, raised: Exception) -> None:
    jobs: dict[str, Job] = {f"job-{number}": partial(_with_number, number) for number in range(3)}
    jobs["job-1"] = partial(_raise, raised)
    try:
        list(engine.run(jobs))
    except type(raised) as error:
        expect(str(raised) in str(error), f"An error must arrive with its message '{raised}', got '{error}'.")
        return
    except Exception as error:
        raise AssertionError(f"A {type(raised).__name__} of a job must arrive as one, got {error!r}.") from error
    raise AssertionError(f"A {type(raised).__name__} of a job must reach the caller.")


def _check_closing(engine: Engine) -> None:
    with tempfile.TemporaryDirectory() as folder:
        jobs = {f"job-{number}": partial(_beat, number) for number in range(4)}
        with closing(engine.run(jobs, folder)) as results:
            next(results)
        end = time.monotonic() + PATIENCE
        while _lives(folder):
            expect(time.monotonic() < end, "Jobs go on after the iterator is closed.")


def _every_kind() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    square = random.random((30, 40))
    return {
        "float64": square,
        "float32": random.random((5, 6, 7)).astype(np.float32),
        "integers": random.integers(-5, 5, 100),
        "bool": random.random(100) < 0.5,
        "big-endian": np.arange(7, dtype=">i4"),
        "texts": np.array(["a", "bc"]),
        "columns": np.asfortranarray(square),
        "every second": square[::2, 1::3],
        "empty": np.zeros((0, 3)),
        "scalar": np.array(3.5),
    }


def _facts(values: np.ndarray) -> tuple[str, tuple[int, ...], str]:
    """Data type, shape and values; another byte order is the same array."""
    return values.dtype.newbyteorder("=").str, values.shape, repr(values.tolist())


def _facts_of(name: str, shared: dict[str, np.ndarray]) -> tuple[str, tuple[int, ...], str]:
    return _facts(shared[name])


def _write(name: str, shared: dict[str, np.ndarray]) -> None:
    with suppress(ValueError):
        shared[name][...] = shared[name].flat[:1]


def _part(start: int, step: int, shared: np.ndarray) -> np.ndarray:
    return shared[start::step]


def _with_number(number: int, shared: Any) -> tuple[int, Any]:
    return number, shared


def _raise(error: Exception, shared: None) -> NoReturn:
    raise error


def _beat(number: int, folder: str) -> None:
    """The first job ends at once, the others give signs of life."""
    with suppress(FileExistsError):
        (Path(folder) / "first").touch(exist_ok=False)
        return
    end = time.monotonic() + LASTS
    while time.monotonic() < end:
        with (Path(folder) / str(number)).open("ab") as file:
            file.write(b".")
        time.sleep(BEAT)


def _lives(folder: str) -> bool:
    """Whether some job gives signs of life."""

    def signs() -> int:
        return sum(path.stat().st_size for path in Path(folder).iterdir())

    before = signs()
    time.sleep(20 * BEAT)
    return signs() > before
