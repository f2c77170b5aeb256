from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantleak.engines import Keeper
from quantleak.errors import InputError
from quantleak.store import Folder

Stages = dict[str, dict[str, Callable[[], Any]]]


def stages() -> Stages:
    # Not a function of this module: workers cannot import that.
    def number(value: float) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        return {"value": np.array([value])}, {"seconds": value}

    return {
        "long": {f"long-{n}": partial(number, float(n)) for n in range(3)},
        "none": {},
        "short": {"short-0": partial(number, 10.0)},
    }


def kept(folder: Path, workers: int, told: list[tuple[str, int, int]]) -> dict[str, Any]:
    with Folder(folder, {"study": "numbers"}, "study") as opened:
        return Keeper(opened, workers, lambda *news: told.append(news)).together(stages())


@pytest.mark.parametrize("workers", [1, 2])
def test_stages_run_together_and_are_told_apart(tmp_path: Path, workers: int) -> None:
    told: list[tuple[str, int, int]] = []
    found = kept(tmp_path / "out", workers, told)
    assert {stage: sorted(jobs) for stage, jobs in found.items()} == {
        stage: sorted(jobs) for stage, jobs in stages().items()
    }
    assert [found["long"][f"long-{n}"][0]["value"][0] for n in range(3)] == [0.0, 1.0, 2.0]
    assert told[0] == ("long", 0, 3)
    assert sorted(told) == [("long", n, 3) for n in range(4)] + [("short", 1, 1)]


def test_what_is_done_is_not_run_again(tmp_path: Path) -> None:
    kept(tmp_path / "out", 1, [])
    told: list[tuple[str, int, int]] = []
    found = kept(tmp_path / "out", 1, told)
    assert told == [("long", 3, 3), ("short", 1, 1)]
    assert found["short"]["short-0"] == ({"value": np.array([10.0])}, {"seconds": 10.0})


def test_no_worker_is_refused(tmp_path: Path) -> None:
    with Folder(tmp_path / "out", {}, "study") as opened, pytest.raises(InputError, match="at least 1, got 0"):
        Keeper(opened, 0)
