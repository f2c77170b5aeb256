"""How well `--dry-run` prices an audit: estimated against actual, in time, memory and disk, for some shapes.

    python benchmarks/dry_run.py

The ratio of the times should lie between 1/2 and 2 on a machine that is as busy during the audit as during the pricing.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = {
    "perceptron on breast_cancer": "--dataset breast_cancer --models 32 --epochs 100",
    "linear on digits": "--dataset digits --model linear --models 16 --epochs 150",
    "regression on diabetes": "--dataset diabetes --model mlp:32 --models 24 --epochs 60",
    "wide perceptron on digits": "--dataset digits --model mlp:512 --models 8 --epochs 40",
}


def command(words: list[str]) -> str:
    return subprocess.run(
        [sys.executable, "-m", "quantleak", *words], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def main() -> None:
    print(f"{'shape':<28} {'estimated':>10} {'actual':>8} {'ratio':>6}   memory, disk: estimated / actual MB")
    for name, words in SHAPES.items():
        price = json.loads(command(["audit", *words.split(), "--dry-run", "--json", "--workers", "1"]))
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            command(["audit", *words.split(), "--quiet", "--workers", "1", "--out", f"{folder}/out"])
            actual = time.perf_counter() - start
            disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        # Of the largest child so far, an audit or its pricing.
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print(
            f"{name:<28} {price['seconds']:>8.0f} s {actual:>6.0f} s {price['seconds'] / actual:>6.2f}   "
            f"{price['memory'] / 1e6:.0f} / {memory / 1e6:.0f}, {price['disk'] / 1e6:.1f} / {disk / 1e6:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
