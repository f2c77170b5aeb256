"""Whether two checkouts are equally fast, measured in turn, so that a neighbour's load slows both.

    python benchmarks/compare_speed.py BASE NEW [--rounds 5] [--only NAME ...]

Each row is timed in a fresh process of each checkout, `rounds` times in turn; shown are the fastest times and their
ratio, and what rows of `make bench` measure by themselves is taken from there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

TIMED = "import time; start = time.perf_counter(); {job}; print(time.perf_counter() - start)"
ROWS = {
    "import quantleak": TIMED.format(job="import quantleak"),
    "quantleak --help": TIMED.format(
        job="import subprocess, sys; subprocess.run([sys.executable, '-m', 'quantleak', '--help'], capture_output=True)"
    ),
    "LiRA online": "import run; print(run.attack_rows()[0].measured.split()[0])",
    "RMIA": "import run; print(run.attack_rows()[1].measured.split()[0])",
    "8 attacks of one quantizer in all modes": "import run; print(run.attack_job_row().measured.split()[0])",
    "the main job": TIMED.format(
        job="import tempfile; from quantleak.cli import app; app('audit --dataset breast_cancer --models 64 --quiet "
        "--out'.split() + [tempfile.mkdtemp()], standalone_mode=False)"
    ),
    "the synthetic study, 64 models": TIMED.format(
        job="import tempfile; from quantleak.cli import app; from quantleak.studies.synthetic import Synthetic; left = "
        "[word for part in Synthetic.parts if part != 'exact' for word in ('--without', part)]; app('reproduce "
        "synthetic --preset paper --set models=64 --quiet --out'.split() + [tempfile.mkdtemp(), *left], "
        "standalone_mode=False)"
    ),
    "linear models, compiled": "import fleet; fleet.our_seconds(score=False); print(fleet.our_seconds(score=False)[0])",
    "linear models, batched": "import fleet; print(fleet.our_seconds('stacked', score=False)[0])",
    "quantize and score at every epoch": "import fleet; print(fleet.our_seconds('stacked', score=True)[1])",
    "perceptrons": (
        "import fleet; taken = []; seconds = fleet.seconds; fleet.seconds = lambda job: taken.append(seconds(job)) or "
        "taken[-1]; fleet.perceptron_row(3); print(min(taken[::22]))"
    ),
}


def seconds(checkout: Path, code: str) -> float:
    """What the code prints last, run in a checkout."""
    paths = f"{checkout / 'src'}{os.pathsep}{checkout / 'benchmarks'}"
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS))
    arguments = parser.parse_args()
    checkouts = [path.resolve() for path in (arguments.base, arguments.new)]
    print("| what | base, s | new, s | new / base |\n| --- | --- | --- | --- |")
    for name in arguments.only:
        taken = [[seconds(checkout, ROWS[name]) for checkout in checkouts] for _ in range(arguments.rounds)]
        base, new = (min(column) for column in zip(*taken, strict=True))
        print(f"| {name} | {base:.3f} | {new:.3f} | {new / base:.2f} |", flush=True)


if __name__ == "__main__":
    main()
