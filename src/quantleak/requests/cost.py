"""What an audit will cost, before it is begun: models, time, memory, disk."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from quantleak.auditing.plan import Plan
from quantleak.engines import processors
from quantleak.ptq.procedure import HELD_OUT
from quantleak.requests import probe
from quantleak.threads import one_thread

SCHEMA = 1
START_SECONDS, PAGE_SECONDS, WORKER_SECONDS = 5.0, 4.0, 4.0
"""Measured: imports and plan of any audit; its tables and pages; start of the other processes, which import too."""
FILES_BYTES = 1.5e6
"""Measured: result.json, tables and pages."""
SPILL = 2**30
"""Bytes of a block's trajectories that stay in memory."""
ORIGINAL_SHARE = 0.4
"""The original has one mode of attack instead of three: six attacks of sixteen."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The price of an audit on this machine as busy as it is now.

    Attributes:
        models: Models to train.
        blocks: Jobs that train them.
        attack_jobs: Jobs that attack them, one per quantizer.
        workers: Processes.
        train: Seconds to train and follow.
        attack: Seconds to attack.
        rest: Seconds to start, and for utility, tables and pages.
        memory: Bytes of all processes together.
        disk: Bytes that stay in the folder.
        spill: Bytes of temporary files while it runs, at most.
    """

    models: int
    blocks: int
    attack_jobs: int
    workers: int
    train: float
    attack: float
    rest: float
    memory: int
    disk: int
    spill: int

    @property
    def seconds(self) -> float:
        """All stages together."""
        return self.train + self.attack + self.rest

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"schema": SCHEMA, **asdict(self), "seconds": self.seconds}

    def __str__(self) -> str:
        """A few lines."""
        spill = f", and up to {size(self.spill)} of temporary files" if self.spill else ""
        return (
            f"Time    about {duration(self.seconds)} with {self.workers} processes: {duration(self.train)} to train "
            f"{self.models} models in {self.blocks} jobs, {duration(self.attack)} to attack in {self.attack_jobs}, "
            f"{duration(self.rest)} for the rest\n"
            f"Memory  about {size(self.memory)} for all processes\n"
            f"Disk    about {size(self.disk)}{spill}\n"
            "Measured by short runs of the same jobs, on this machine as busy as it is now; nothing was written."
        )


def estimate_cost(plan: Plan, workers: int | None = None) -> Cost:
    """Price a plan by training its first block for a few epochs and attacking a few models; writes nothing.

    Args:
        plan: Of the audit; see :func:`~quantleak.auditing.plan.make_plan`.
        workers: Processes; all processors if None.
    """
    workers, settings = workers or processors(), plan.settings
    with one_thread():
        epochs, attack, utility = probe.training(plan), probe.attacks(plan), probe.utility(plan)
    blocks = [len(block.models) for block in plan.fleet().blocks()]
    each_block = [epochs(settings.epochs) * models / blocks[0] for models in blocks]
    # Held-out calibration examples are attacked too.
    asked = [source for spec, (source, _) in plan.calibration.read.items() if spec in settings.quantizers]
    each_attack = [attack(settings.models)] * (len(plan.procedures) + asked.count(HELD_OUT))
    each_attack[0] *= ORIGINAL_SHARE
    growth = _growth(plan, blocks[0])
    busy = min(workers, max(len(blocks), len(each_attack)))
    return Cost(
        models=settings.models,
        blocks=len(blocks),
        attack_jobs=len(each_attack),
        workers=workers,
        train=makespan(each_block, workers) + (WORKER_SECONDS if workers > 1 and len(blocks) > 1 else 0.0),
        attack=makespan(each_attack, workers),
        rest=START_SECONDS + PAGE_SECONDS + len(plan.procedures) * utility,
        memory=int((busy + (busy > 1)) * _resident() + busy * min(growth, SPILL)),
        disk=int(_signals(plan) + len(each_attack) * attack.bytes_a_model * settings.models + FILES_BYTES),
        spill=int(busy * max(0, growth - SPILL)),
    )


def makespan(jobs: Sequence[float], workers: int) -> float:
    """Seconds until all jobs are done, each begun in turn by the first process that is free.

    Example:
        >>> makespan([3.0, 2.0, 2.0], 2)
        4.0
    """
    free = [0.0] * workers
    for seconds in jobs:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


def _growth(plan: Plan, models: int) -> int:
    """Bytes of elements and losses of a block if every evaluated epoch visits a new element."""
    settings = plan.settings
    visits = models * -(-settings.epochs // settings.evaluate_every) * (len(settings.quantizers) - 1)
    parameters = plan.network.layout.size
    return visits * (2 * parameters + 4 * len(plan.parts.validation))


def _signals(plan: Plan) -> int:
    parts = sum(len(getattr(plan.parts, part)) for part in ("pool", "population", "test"))
    return 8 * plan.settings.models * len(plan.procedures) * len(plan.queries) * parts


def _resident() -> int:
    """The most memory that this process has had, with its probes."""
    if sys.platform == "win32":
        return 2**29
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def duration(seconds: float) -> str:
    """Time in words.

    Example:
        >>> duration(12.3), duration(150.0), duration(8000.0)
        ('12 s', '2.5 min', '2.2 h')
    """
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.1f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def size(count: int) -> str:
    """Bytes in words.

    Example:
        >>> size(2_500_000), size(3 * 2**30)
        ('2.5 MB', '3.2 GB')
    """
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
