"""Peak memory of a tracker at full size: 100,000 validation examples x 500 epochs x 8 quantizers, in a fresh process.

python benchmarks/tracking.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import torch
from torch import nn

from quantleak.trajectory import TrajectoryTracker
from report import write_results

EXAMPLES, FEATURES, EPOCHS, BATCH = 100_000, 32, 500, 10_000
LIMIT = 2.0
"""GiB that the whole process may take."""


def gib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kB on Linux


def measure() -> None:
    """Track a linear model that visits a new element of every quantizer at every epoch."""
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(0)
    features = torch.randn(EXAMPLES, FEATURES, generator=random)
    targets = torch.randint(0, 2, (EXAMPLES,), generator=random)
    loader = list(zip(features.split(BATCH), targets.split(BATCH), strict=True))
    model = nn.Linear(FEATURES, 1)
    before = gib()
    tracker = TrajectoryTracker(loss="binary")
    start = time.perf_counter()
    for _ in range(EPOCHS):
        nn.init.normal_(model.weight, generator=random)
        tracker.update(model, loader)
    updated = time.perf_counter()
    found = tracker.compute()
    elements = min(rates.r_q.elements for rates in found.rates.values())
    peak = gib()
    what = f"{EXAMPLES:,} validation examples x {EPOCHS} epochs x {len(found.rates)} quantizers"
    lines = [
        "| what | measured | target | met |",
        "| --- | --- | --- | --- |",
        f"| peak resident memory, {what} | {peak:.2f} GiB | <= {LIMIT:.1f} GiB | {'yes' if peak <= LIMIT else 'NO'} |",
        f"| of which before the first update | {before:.2f} GiB | | |",
        f"| distinct elements of each quantizer, at least | {elements} | | |",
        f"| an update (a linear model with {FEATURES} weights) | {(updated - start) / EPOCHS:.2f} s | | |",
        f"| all rates at the end | {time.perf_counter() - updated:.0f} s | | |",
    ]
    write_results("tracking", "python benchmarks/tracking.py", lines)


def main() -> None:
    """Measure in a process of its own, so that nothing else counts."""
    if sys.argv[1:] == ["--inside"]:
        measure()
    else:
        subprocess.run([sys.executable, __file__, "--inside"], check=True)


if __name__ == "__main__":
    main()
