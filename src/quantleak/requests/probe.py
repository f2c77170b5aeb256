"""Short runs of an audit's own jobs, to price the long ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from quantleak.auditing.attacks import AttackJob
from quantleak.auditing.block import BlockJob, BlockOutput
from quantleak.auditing.measures.utility import measure
from quantleak.auditing.plan import Plan
from quantleak.auditing.run import attack_inputs
from quantleak.data import membership

ENOUGH = 4.0
"""Seconds that the longer of two training probes should take."""
MODELS = (8, 16)
"""Sizes of the attack probes; every attack runs on eight models."""
FEW = 4
"""Epochs between two evaluations, up to which the evaluations are priced by epoch."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Seconds as a straight line: `start + each * count`."""

    start: float
    each: float

    def __call__(self, count: int) -> float:
        """Seconds at a count."""
        return self.start + self.each * count

    @classmethod
    def through(cls, one: tuple[int, float], two: tuple[int, float]) -> Line:
        """The line through two measurements `(count, seconds)`; noise may not make it fall, nor begin below 0."""
        (x, seconds), (far, longer) = one, two
        each = max((longer - seconds) / (far - x), 0.0) if far > x else seconds / max(x, 1)
        return cls(start=max(longer - each * far, 0.0), each=each)


@dataclass(frozen=True, kw_only=True)
class AttackCost:
    """Seconds of one quantizer's attack job: `models * (start + by_model * models)`.

    Each target is scored with all other models as shadows.

    Attributes:
        start: Seconds per target.
        by_model: Seconds per target and shadow.
        bytes_a_model: What the job leaves on disk.
    """

    start: float
    by_model: float
    bytes_a_model: float

    def __call__(self, models: int) -> float:
        """Seconds of a job of this size."""
        return models * (self.start + self.by_model * models)


def training(plan: Plan) -> Line:
    """Seconds of the first block by epochs: real jobs of a few epochs, the first of which warms up."""
    numbers = plan.fleet().blocks()[0].models
    most, step = plan.settings.epochs, min(plan.settings.evaluate_every, plan.settings.epochs)
    if step > FEW:
        # Where few epochs are evaluated, only the last is worth a look: it is in the start of the line.
        step = 1

    def run(epochs: int) -> float:
        short = replace(plan, settings=replace(plan.settings, epochs=epochs))
        return _seconds(lambda: BlockJob(numbers)(short))

    first = min(2 * step, most)
    run(step)
    one = run(first)
    if first == most:
        return Line(start=0.0, each=one / most)
    more = int(np.clip(ENOUGH / max(one / first, 1e-9), 2 * first, most))
    return Line.through((first, one), (more, run(more)))


def attacks(plan: Plan) -> AttackCost:
    """Seconds of an attack job, from real jobs of few models on signals drawn at random."""
    few, more = (min(size, plan.settings.models) for size in MODELS)
    _attack(plan, 2)
    base, kept = _attack(plan, few)
    by_model = max((_attack(plan, more)[0] / more - base / few) / (more - few), 0.0) if more > few else 0.0
    return AttackCost(start=max(base / few - by_model * few, 0.0), by_model=by_model, bytes_a_model=kept / few)


def utility(plan: Plan) -> float:
    """Seconds that measuring one quantizer's utility takes."""
    targets = plan.part("test")[1]
    statistic = np.random.default_rng(0).normal(size=(plan.settings.models, len(targets)))
    groups = plan.dataset.groups[plan.parts.test]
    return _seconds(lambda: measure(statistic, targets, plan.dataset.task, groups))


def _attack(plan: Plan, models: int) -> tuple[float, float]:
    """Seconds and bytes of the last quantizer's job (the first is the original, which has fewer attacks)."""
    groups = plan.dataset.groups[plan.parts.pool]
    member = membership(models, groups, 0)
    small = replace(
        plan,
        member=member,
        settings=replace(plan.settings, models=models),
    )
    random = np.random.default_rng(0)
    queries = (len(plan.queries),) if len(plan.queries) > 1 else ()
    many = (models, len(plan.procedures))
    pool, population, test, held_out = (
        random.normal(size=(*many, len(getattr(plan.parts, part)), *more))
        for part, more in (("pool", queries), ("population", queries), ("test", ()), ("calibration", queries))
    )
    block = BlockOutput(
        pool=pool,
        population=population,
        held_out=held_out,
        test=test,
        training=pool[:, 0].reshape(models, len(plan.parts.pool), -1)[..., 0],
        bits={},
        fidelity=np.ones(pool.shape[:2]),
        rates={},
        certificates={},
        seconds=0.0,
    )
    inputs = attack_inputs(small, BlockOutput.joined([block]))
    start = time.perf_counter()
    arrays, _ = AttackJob(plan.settings.quantizers[-1])(inputs).parts()
    return time.perf_counter() - start, float(sum(array.nbytes for array in arrays.values()))


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start
