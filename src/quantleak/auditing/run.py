"""Runs an audit from end to end."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from quantleak.attacks import LeaveOneOut, Signals
from quantleak.attacks.evaluation.support import non_members
from quantleak.attacks.evaluation.table import group_codes
from quantleak.auditing.attacks import AttackInputs, AttackJob, AttackOutput
from quantleak.auditing.block import BlockJob, BlockOutput
from quantleak.auditing.compose import compose
from quantleak.auditing.controls import Controls
from quantleak.auditing.plan import Plan, make_plan
from quantleak.auditing.processing import quantize_first
from quantleak.auditing.result import AuditResult
from quantleak.auditing.settings import Settings, override
from quantleak.data import Dataset
from quantleak.engines import Engine, Local, Progress, Runner
from quantleak.errors import InputError
from quantleak.ptq.procedure import HELD_OUT
from quantleak.quantizers import BASELINE
from quantleak.report.cautions import cautions
from quantleak.results import versions
from quantleak.store import Folder, read_run
from quantleak.threads import one_thread


def audit(
    dataset: Dataset,
    settings: Settings | None = None,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> AuditResult:
    """Train a fleet, quantize it, score it by theory, attack it, and say which quantizer to ship.

    Args:
        dataset: From :func:`quantleak.bundled`, :func:`quantleak.read_table`, :func:`quantleak.read_molecules`,
            :func:`quantleak.read_images` or :func:`quantleak.from_arrays`.
        settings: What to do; the defaults if None.
        out: Folder for the results; an interrupted audit there is continued. Without it nothing is kept on disk.
        workers: Processes of this machine; all processors if None. No number depends on it.
        engine: Where jobs run instead of processes of this machine; no number depends on it.
        progress: Called with `(stage, done, total)`.
        overrides: Fields of :class:`Settings` by name, such as `models=32`.

    Raises:
        InputError: Settings or data that cannot be used; a folder that holds another audit; both workers and an engine.
    """
    if engine is not None and workers is not None:
        raise InputError("workers is a setting of the local engine: give either workers or engine.")
    engine = engine or Local(workers)
    settings = override(settings or Settings(), overrides)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _audit(dataset, settings, Path(folder), engine, progress, pages=False)
    return _audit(dataset, settings, Path(out), engine, progress)


def _audit(
    dataset: Dataset,
    settings: Settings,
    out: Path,
    engine: Engine,
    progress: Progress | None,
    *,
    pages: bool = True,
) -> AuditResult:
    start = time.perf_counter()
    plan = make_plan(dataset, settings, read_run(out))
    with Folder(out, plan.identity) as folder:
        if folder.finished():
            return AuditResult.load(out)
        result = _result(plan, folder.id, Runner(folder, engine, progress), start)
        if pages:
            result.write_pages(out)
            result.save(out)
    return result


def _result(plan: Plan, run: str, runner: Runner, start: float) -> AuditResult:
    dataset, settings = plan.dataset, plan.settings
    gpus = int(plan.settings.device.startswith("cuda"))
    blocks = {f"block-{number:04}": BlockJob(block.models, gpus) for number, block in enumerate(plan.fleet().blocks())}
    # Several processes would crowd one accelerator, and none of them would be faster.
    training = runner.on(one_process(runner.engine)) if gpus else runner
    gathered = BlockOutput.joined(list(training.run("train and follow", blocks, plan).values()))
    trained = time.perf_counter() - start
    attacks = {attack_key(place): AttackJob(spec) for place, spec in enumerate(plan.procedures)}
    left = runner.run("attack", attacks, attack_inputs(plan, gathered))
    attacked = dict(zip(plan.procedures, left.values(), strict=True))
    held_out = _attack_calibration(plan, gathered, runner)
    data_free = [spec for spec, one in plan.procedures.items() if one.data_free and not one.is_control]
    with one_thread():
        controls = Controls(baseline=attacked[BASELINE], held_out=held_out)
        outcome = compose(plan, gathered, quantize_first(attacked, BASELINE, data_free), plan.member, controls)
    timings = {
        "train": trained,
        "attack": time.perf_counter() - start - trained,
        "train_all_workers": gathered.seconds,
    }
    if isinstance(runner.engine, Local):
        timings["processes"] = runner.engine.workers
    result = AuditResult(
        id=run,
        task=dataset.task,
        n=_sizes(plan),
        recommended=outcome.recommended,
        quantizers=outcome.quantizers,
        data=_data(dataset)
        | ({"model": plan.buffers} if plan.buffers else {})
        | ({"calibration": plan.calibration.identity["quantizers"]} if plan.calibration.read else {}),
        settings=plan.identity["settings"],
        seeds={"seed": settings.seed},
        versions=versions(),
        timings={name: round(value, 3) for name, value in timings.items()},
        models=outcome.models,
        targets=outcome.targets,
        roc=outcome.roc,
        classes=outcome.classes,
        exposed=outcome.exposed,
        calibration=plan.calibration.table,
    )
    return replace(result, cautions=cautions(result))


def attack_key(place: int) -> str:
    """Of the attack job on a quantizer, by its place among the quantizers."""
    return f"attack-{place:03}"


def attack_inputs(plan: Plan, gathered: BlockOutput) -> AttackInputs:
    """What the attack jobs share."""
    settings = plan.settings
    signals = {
        spec: Signals(pool=gathered.pool[:, place], population=gathered.population[:, place])
        for place, spec in enumerate(plan.procedures)
    }
    masks = {spec: plan.calibration.mask(spec) for spec in plan.procedures}
    return AttackInputs(
        targets=signals,
        shadows=signals,
        pairing=LeaveOneOut(member=plan.member, seed=settings.seed),
        baseline=BASELINE,
        groups=plan.dataset.groups[plan.parts.pool],
        task=plan.dataset.task,
        level=settings.level,
        classes=None if plan.dataset.classes is None else plan.dataset.targets[plan.parts.pool],
        calibrated={spec: mask for spec, mask in masks.items() if mask is not None},
        extra=settings.extra_attacks,
    )


def _attack_calibration(plan: Plan, gathered: BlockOutput, runner: Runner) -> dict[str, AttackOutput]:
    """Which examples of the part for calibration a model read: attacked like membership, by spec of the quantizer."""
    wanted: dict[int, list[str]] = {}
    for spec, (source, count) in plan.calibration.read.items():
        if source == HELD_OUT and spec in plan.settings.quantizers and not plan.procedures[spec].is_control:
            wanted.setdefault(count, []).append(spec)
    attacked: dict[str, AttackOutput] = {}
    for count, specs in wanted.items():
        rows = plan.calibration.held_out_part(count)
        where = np.searchsorted(plan.parts.calibration, rows)
        signals = {
            spec: Signals(pool=gathered.held_out[:, place][:, where], population=gathered.population[:, place])
            for place, spec in enumerate(plan.procedures)
        }
        inputs = replace(
            attack_inputs(plan, gathered),
            targets=signals,
            shadows=signals,
            pairing=LeaveOneOut(member=plan.calibration.held_out(count), seed=plan.settings.seed),
            groups=plan.dataset.groups[rows],
            classes=None,
            calibrated={},
        )
        jobs = {f"calibration-{plan.settings.quantizers.index(spec):03}": AttackJob(spec) for spec in specs}
        left = runner.run(f"attack calibration on {count}", jobs, inputs)
        attacked |= dict(zip(specs, left.values(), strict=True))
    return attacked


def one_process(engine: Engine) -> Engine:
    """The engine, if of this machine with a single process."""
    return Local(1) if isinstance(engine, Local) else engine


def _sizes(plan: Plan) -> dict[str, int]:
    parts = {name: len(getattr(plan.parts, name)) for name in ("pool", "validation", "population", "test")}
    parts |= {"calibration": len(plan.parts.calibration)} if len(plan.parts.calibration) else {}
    pool = plan.dataset.groups[plan.parts.pool]
    return {
        **parts,
        "pool_groups": len(np.unique(pool)),
        "models": len(plan.member),
        "members": int(plan.member.sum(1).mean()),
        "non_members": int(non_members(plan.member, group_codes(pool, len(pool))).mean()),
    }


def _data(dataset: Dataset) -> dict[str, Any]:
    classes = None if dataset.classes is None else list(dataset.classes)
    found = {"name": dataset.name, "classes": classes, "digest": dataset.digest, **dataset.provenance.to_dict()}
    return found | ({"target_spread": spread(dataset.targets)} if dataset.task == "regression" else {})


def spread(targets: np.ndarray) -> dict[str, float]:
    """Skewness of the targets and, if they are all positive, of their logarithms."""
    values = targets.astype(np.float64)
    found = {"skewness": float(stats.skew(values))}
    if (values > 0).all():
        found["skewness_of_logarithm"] = float(stats.skew(np.log(values)))
    return {name: value for name, value in found.items() if np.isfinite(value)}
