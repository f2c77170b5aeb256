"""What the vision study would cost, from a few short probes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from quantleak.arrays import read_only_tensor
from quantleak.auditing.plan import Plan
from quantleak.fleet import Block, predictions, trainer
from quantleak.models import Network, network
from quantleak.ptq import procedure
from quantleak.ptq.adaround import LearnedRounding
from quantleak.ptq.modules import weights_of
from quantleak.ptq.obq import OptimalBrainQuantization
from quantleak.ptq.procedure import Procedure
from quantleak.ptq.rule import Rule
from quantleak.quantizers import BASELINE
from quantleak.requests import probe
from quantleak.studies.common import Price
from quantleak.studies.vision.jobs import FOLLOWED, HEAD, NEAREST, TERNARY, WIDTH, Row, Vision
from quantleak.studies.vision.jobs.attack import FEW, KINDS
from quantleak.studies.vision.jobs.plans import Plans, plans
from quantleak.threads import one_thread

IMAGES = 128
"""That a probe trains on, evaluates, or calibrates with."""
STEPS = (2, 8)
"""Iterations of two probes of a method that learns."""
POOL = 2_000
"""Examples of the pool in a probe of the attacks."""
LARGE = 1_000_000
"""Parameters from which OBQ is tried on a narrower network and scaled by its arithmetic."""
NARROW = 16


def price(study: Vision, workers: int) -> Price:
    """Estimate the cost; takes about a minute on small networks.

    Args:
        study: What would be run.
        workers: Processes that would share it.

    Raises:
        InputError: If the data are not there, or settings cannot be used.
    """
    found = Price(trainings=0, seconds={}, megabytes=0.0)
    for name in study.data:
        with one_thread():
            one = _one(study, plans(study, name), workers)
        seconds = {stage: found.seconds.get(stage, 0.0) + one.seconds.get(stage, 0.0) for stage in one.seconds}
        found = Price(
            trainings=found.trainings + one.trainings, seconds=seconds, megabytes=found.megabytes + one.megabytes
        )
    return found


def _one(study: Vision, every: Plans, workers: int) -> Price:
    """Of one data set."""
    main, small = every.quantized, every.smaller
    parts = main.parts
    images = len(parts.pool) * len(main.queries) + len(parts.population) * len(main.queries) + len(parts.test)
    looks = len(every.rows) + len(study.stopped_at)
    evaluated = images * looks + len(parts.validation) * _followed(every.rows) * (study.epochs // study.evaluate_every)
    members = float(main.member.sum(1).mean())
    each = {
        "train": members * study.epochs * _training(main),
        "quantize": sum(_quantizing(study, main, every.rows).values()),
        "evaluate": evaluated * _evaluating(main),
    }
    smaller = members * study.epochs * _training(small) + images * _evaluating(small)
    # One accelerator serves one process.
    processes = 1 if main.settings.device.startswith("cuda") else min(workers, study.models)
    blocks = -(-study.models // processes)
    attacks = _attacking(main, every.rows, study)
    queries = len(main.queries)
    numbers = study.models * looks * (len(parts.pool) + len(parts.population)) * queries
    influence = study.models * len(parts.pool) * (len(every.rows) * 4 + 9 * sum(row.whole for row in every.rows))
    return Price(
        trainings=2 * study.models,
        seconds={stage: seconds * blocks for stage, seconds in each.items()}
        | {"small networks": smaller * blocks, "attack": attacks / workers},
        megabytes=(8 * numbers + 4 * influence) / 1e6,
    )


def _followed(rows: Sequence[Row]) -> int:
    """How many quantizers are evaluated along the trajectory."""
    return sum(procedure(row.spec).no_rate is None for row in rows)


def _training(plan: Plan) -> float:
    """Seconds per training image and epoch."""
    fleet = plan.fleet()
    short = replace(
        fleet,
        members=tuple(rows[:IMAGES] for rows in fleet.members),
        training=replace(fleet.training, epochs=1, evaluate_every=1),
    )
    block = Block(short, (0,))
    train = trainer(plan.settings.trainer, block)
    _seconds(lambda: list(train.train(block)))
    return _seconds(lambda: list(train.train(block))) / len(short.members[0])


def _evaluating(plan: Plan) -> float:
    """Seconds per evaluated image."""
    images = _images(plan)
    module = plan.network.module(seed=0).to(images.device).eval()
    predictions(module, images)
    return _seconds(lambda: predictions(module, images)) / len(images)


def _quantizing(study: Vision, plan: Plan, rows: Sequence[Row]) -> dict[str, float]:
    """Seconds of every procedure on one model, by spec; without noise and single layers, which take next to nothing."""
    images = _images(plan)
    by_kind: dict[tuple[str, str], float] = {}
    found: dict[str, float] = {}
    for row in rows:
        one = procedure(row.spec)
        if row.part not in (WIDTH, HEAD, FOLLOWED) or not isinstance(one, Rule):
            continue
        kind = (row.method, "" if row.width != TERNARY else TERNARY)
        if kind not in by_kind:
            by_kind[kind] = _method(study, plan, one, images)
        found[row.spec] = by_kind[kind]
    return found


def _method(study: Vision, plan: Plan, one: Rule, images: Tensor) -> float:
    """Seconds of one method on one model at full size, from fewer images and iterations."""
    module = plan.network.module(seed=0).to(images.device).eval()
    more = min(plan.calibration_examples, one.examples) / len(images) if one.reads_data else 1.0

    def run(procedure: Procedure, model: nn.Module) -> float:
        return _seconds(lambda: procedure.quantize(model, images, 0))

    if isinstance(one, LearnedRounding):
        few, longer = (run(replace(one, iterations=steps), module) for steps in STEPS)
        step = max(0.0, longer - few) / (STEPS[1] - STEPS[0])
        return max(0.0, few - step * STEPS[0]) * more + step * one.iterations
    if isinstance(one, OptimalBrainQuantization) and plan.network.layout.count > LARGE:
        narrow = network(f"{study.network}?width={NARROW}", plan.network.input_shape, plan.network.outputs)
        factor = _arithmetic(plan.network, one.order) / _arithmetic(narrow, one.order)
        return run(one, narrow.module(seed=0).to(images.device).eval()) * factor
    return run(one, module) * more


def _arithmetic(family: Network, order: str) -> float:
    """Operations of OBQ: for every layer one inversion and its rows, or with a greedy order an inversion a row."""
    total = 0.0
    module = family.module(seed=0)
    for weight in weights_of(module):
        groups, outputs, inputs = weight.matrix(module.get_parameter(weight.name).detach()).shape
        total += groups * (outputs * float(inputs) ** 3 if order == "greedy" else inputs**3 + outputs * inputs**2)
    return total


def _attacking(plan: Plan, rows: Sequence[Row], study: Vision) -> float:
    """Seconds of all attack jobs, one after another."""
    pool = plan.parts.pool[:POOL]
    specs = (BASELINE, next(row.spec for row in rows if row.method == NEAREST))
    cut = replace(
        plan,
        parts=replace(plan.parts, pool=pool),
        procedures={spec: plan.procedures[spec] for spec in specs},
        settings=replace(plan.settings, quantizers=specs),
        member=plan.member[:, :POOL],
    )
    one = probe.attacks(cut)(study.models) * len(plan.parts.pool) / len(pool)
    whole = sum(row.whole for row in rows)
    # A probe runs the audit's eight attacks; the study has two more, and few of them on its controls.
    return one * (whole * len(KINDS) / 8 + (len(rows) - whole + len(study.stopped_at)) * len(FEW) / 12)


def _images(plan: Plan) -> Tensor:
    device = torch.device(plan.settings.device)
    return read_only_tensor(plan.features[plan.parts.pool[:IMAGES]]).to(device)


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
