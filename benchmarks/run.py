"""The speed table: every row a ratio or a time measured in this run, next to its target.

make bench
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np

from fleet import Row, linear_rows, perceptron_row
from quantleak.attacks import ATTACKS, RMIA, LeaveOneOut, Signals, lira, rmia
from quantleak.auditing.attacks import AttackInputs, AttackJob
from quantleak.data import membership
from report import write_results


def attack_rows() -> list[Row]:
    """LiRA online and RMIA on one thread (this process has one: see the command)."""
    random = np.random.default_rng(0)
    shadows, target = random.normal(size=(64, 50_000)), random.normal(size=50_000)
    member = random.permuted(np.tile(np.arange(64) < 32, (50_000, 1)), axis=1).T
    online = _fastest(partial(lira, target, shadows, member), 5)
    references = np.log(random.random((8, 20_000)))
    population = np.log(random.random((8, 10_000)))
    run_rmia = partial(
        rmia,
        np.log(random.random(20_000)),
        references,
        np.zeros((8, 20_000), dtype=bool),
        population_target=np.log(random.random(10_000)),
        population_shadows=population,
        convention=RMIA(mode="offline"),
    )
    offline = _fastest(run_rmia, 10)
    return [
        Row("LiRA online, 64 shadows x 50,000 examples, one thread", f"{online:.2f} s", "<= 0.5 s", online <= 0.5),
        Row("RMIA, 20,000 x 10,000 population points, 8 references", f"{offline:.3f} s", "<= 0.03 s", offline <= 0.03),
    ]


def attack_job_row() -> Row:
    """All attacks of one quantizer in all modes, every model a target, one thread."""
    random, models, examples = np.random.default_rng(0), 64, 5_000
    member = membership(models, np.arange(examples), 0)

    def signals(mean: np.ndarray, shift: np.ndarray) -> np.ndarray:
        return mean + random.normal(size=(models, mean.size)) + shift

    pool, population = signals(random.normal(0, 3, examples), member), signals(random.normal(0, 3, 1_500), np.zeros(1))
    signals = {
        "rounded": Signals(pool=pool.round(1), population=population.round(1)),
        "identity": Signals(pool=pool, population=population),
    }
    inputs = AttackInputs(
        targets=signals,
        shadows=signals,
        pairing=LeaveOneOut(member=member, seed=0),
        baseline="identity",
        groups=np.arange(examples),
        task="binary",
        level=0.95,
        classes=np.arange(examples) % 2,
    )
    seconds = _fastest(partial(AttackJob("rounded"), inputs), 1)
    what = f"{len(ATTACKS)} attacks of one quantizer in all modes, 64 x 5,000 (20 s before intervals were mended)"
    return Row(what, f"{seconds:.0f} s", "<= 24 s", seconds <= 24)


def command_rows() -> list[Row]:
    """The command as a user types it, on a machine that is set up."""
    command = [sys.executable, "-c", "from quantleak.cli import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        words = ["audit", "--dataset", "breast_cancer", "--models", "64", "--quiet", "--out", f"{folder}/out"]
        plain = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        audit = _fastest(partial(subprocess.run, [*command, *words], check=True, capture_output=True, env=plain), 1)
    help_seconds = _fastest(partial(subprocess.run, [*command, "--help"], check=True, capture_output=True), 5)
    return [
        Row("the main job, as `make` runs it on a machine that is set up", f"{audit:.0f} s", "<= 60 s", audit <= 60),
        Row("`quantleak --help`", f"{help_seconds:.2f} s", "<= 0.3 s", help_seconds <= 0.3),
    ]


def _fastest(job: partial[object], times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        job()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    """Measure every row and write a dated file."""
    rows = [*attack_rows(), attack_job_row(), *command_rows(), perceptron_row(), *linear_rows()]
    lines = ["| what | measured | target | met |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.measured} | {row.target} | {'yes' if row.met else 'NO'} |" for row in rows]
    write_results("speed", "make bench", lines)


if __name__ == "__main__":
    main()
