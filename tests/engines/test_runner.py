from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from quantleak.engines import Job, Local, Runner
from quantleak.store import Folder

Stages = dict[str, dict[str, Job]]


def stages() -> Stages:
    # Not a function of this module: workers cannot import that.
    def number(value: float, shared: Any) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        return {"value": np.array([value])}, {"seconds": value}

    return {
        "long": {f"long-{n}": partial(number, float(n)) for n in range(3)},
        "none": {},
        "short": {"short-0": partial(number, 10.0)},
    }


def ran(folder: Path, workers: int, told: list[tuple[str, int, int]]) -> dict[str, Any]:
    with Folder(folder, {"study": "numbers"}, "study") as opened:
        return Runner(opened, Local(workers), lambda *news: told.append(news)).together(stages())


@pytest.mark.parametrize("workers", [1, 2])
def test_stages_run_together_and_are_told_apart(tmp_path: Path, workers: int) -> None:
    told: list[tuple[str, int, int]] = []
    found = ran(tmp_path / "out", workers, told)
    assert {stage: sorted(jobs) for stage, jobs in found.items()} == {
        stage: sorted(jobs) for stage, jobs in stages().items()
    }
    assert [found["long"][f"long-{n}"][0]["value"][0] for n in range(3)] == [0.0, 1.0, 2.0]
    assert told[0] == ("long", 0, 3)
    assert sorted(told) == [("long", n, 3) for n in range(4)] + [("short", 1, 1)]


def test_what_is_done_is_not_run_again(tmp_path: Path) -> None:
    ran(tmp_path / "out", 1, [])
    told: list[tuple[str, int, int]] = []
    found = ran(tmp_path / "out", 1, told)
    assert told == [("long", 3, 3), ("short", 1, 1)]
    assert found["short"]["short-0"] == ({"value": np.array([10.0])}, {"seconds": 10.0})


def test_a_job_runs_in_one_thread_and_says_what_it_asks_of_an_engine(tmp_path: Path) -> None:
    class Big:
        resources: ClassVar = {"gpus": 1}

        def __call__(self, shared: int) -> tuple[dict[str, np.ndarray], dict[str, int]]:
            return {}, {"threads": torch.get_num_threads(), "shared": shared}

    class Asking:
        def run(self, jobs: Mapping[str, Job], shared: Any = None) -> Generator[tuple[str, Any]]:
            assert {key: job.resources for key, job in jobs.items()} == {"big": {"gpus": 1}}
            yield from ((key, job(shared)) for key, job in jobs.items())

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Folder(tmp_path / "out", {}, "study") as folder:
            found = Runner(folder, Asking()).run("stage", {"big": Big()}, 7)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert found == {"big": ({}, {"threads": 1, "shared": 7})}
