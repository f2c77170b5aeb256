"""Runs the jobs of the study that are not done yet and gathers what they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quantleak.attacks import Signals
from quantleak.auditing.block import BlockOutput
from quantleak.auditing.plan import Plan
from quantleak.auditing.run import attack_inputs, one_process
from quantleak.engines import Job, Runner
from quantleak.studies.vision.jobs.attack import RowJob, RowOutput, Targets
from quantleak.studies.vision.jobs.fleet import FleetJob, FleetOutput, Shared, SmallerJob
from quantleak.studies.vision.jobs.plans import Plans, plans
from quantleak.studies.vision.jobs.settings import Vision
from quantleak.studies.vision.jobs.toy import ToyJob

SMALLER = "smaller network"
TOY = "toy"


def stopped_name(epoch: int) -> str:
    """Of the float models that were stopped after so many epochs."""
    return f"stopped after {epoch}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """What the fleets of one data set left.

    Attributes:
        quantized: Of the networks that are quantized.
        smaller: Of the small float networks.
    """

    quantized: FleetOutput
    smaller: BlockOutput


@dataclass(frozen=True, kw_only=True, eq=False)
class Ran:
    """All that the jobs of the study left.

    Attributes:
        plans: By name of a data set, its plans.
        trained: By name of a data set, what its fleets left.
        attacked: By name of a data set, by spec or name of a control, what the attacks left.
        toy: By what is mapped, by attack, the AUC in the world of `quantleak.studies.vision.jobs.toy`.
        seconds: Spent by all processes together, by stage.
    """

    plans: dict[str, Plans]
    trained: dict[str, Trained]
    attacked: dict[str, dict[str, RowOutput]]
    toy: dict[str, dict[str, float]]
    seconds: dict[str, float]


def run_jobs(study: Vision, runner: Runner) -> Ran:
    """Run everything."""
    every = {name: plans(study, name) for name in study.data}
    trained = train(study, every, runner)
    targets = {name: _targets(study, every[name], trained[name]) for name in every}
    stages: dict[str, Mapping[str, Job]] = {
        f"{name}: attack": {
            f"{name}-attack-{place:03}": RowJob(name, row) for place, row in enumerate((*one.rows, *one.others))
        }
        for name, one in targets.items()
    }
    left = runner.together({**stages, TOY: {TOY: ToyJob(study.seed)}}, targets)
    attacked = {
        name: dict(zip((*one.rows, *one.others), left[f"{name}: attack"].values(), strict=True))
        for name, one in targets.items()
    }
    return Ran(
        plans=every,
        trained=trained,
        attacked=attacked,
        toy=left[TOY][TOY][1],
        seconds={
            "train, quantize, evaluate": sum(one.quantized.block.seconds for one in trained.values()),
            "small networks": sum(one.smaller.seconds for one in trained.values()),
            "attack": sum(output.seconds for one in attacked.values() for output in one.values()),
        },
    )


def _targets(study: Vision, one: Plans, trained: Trained) -> Targets:
    """Everything that is attacked on one data set."""
    stopped = {
        stopped_name(epoch): Signals(
            pool=trained.quantized.stopped[:, place], population=trained.quantized.stopped_population[:, place]
        )
        for place, epoch in enumerate(study.stopped_at)
    }
    small = Signals(pool=trained.smaller.pool[:, 0], population=trained.smaller.population[:, 0])
    return Targets(
        rows={row.spec: row for row in one.rows},
        inputs=attack_inputs(one.quantized, trained.quantized.block),
        others=stopped | {SMALLER: small},
    )


def train(study: Vision, shared: Shared, runner: Runner) -> dict[str, Trained]:
    """Train and quantize; by name of a data set."""
    gpus = any(one.quantized.settings.device.startswith("cuda") for one in shared.values())
    # Several processes would crowd one accelerator, and none of them would be faster.
    training = runner.on(one_process(runner.engine)) if gpus else runner
    stages: dict[str, Mapping[str, Job]] = {}
    for name, one in shared.items():
        numbers = blocks(one.quantized)
        stages[f"{name}: train and quantize"] = {
            f"{name}-fleet-{some[0]:04}": FleetJob(name, some, study.stopped_at, int(gpus)) for some in numbers
        }
        stages[f"{name}: small networks"] = {
            f"{name}-smaller-{some[0]:04}": SmallerJob(name, some, int(gpus)) for some in numbers
        }
    left = training.together(stages, shared)
    return {
        name: Trained(
            quantized=FleetOutput.joined(list(left[f"{name}: train and quantize"].values())),
            smaller=BlockOutput.joined(list(left[f"{name}: small networks"].values())),
        )
        for name in shared
    }


def blocks(plan: Plan) -> list[tuple[int, ...]]:
    """Numbers of the models of each job."""
    return [block.models for block in plan.fleet().blocks()]
