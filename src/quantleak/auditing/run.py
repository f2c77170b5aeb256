"""The audit itself: a list of calls."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import quantleak
from quantleak.attacks import Bootstrap
from quantleak.auditing.attacks import AttackJob, Signals
from quantleak.auditing.block import BlockJob
from quantleak.auditing.compose import Gathered, compose
from quantleak.auditing.plan import Plan, make_plan
from quantleak.auditing.settings import Settings, override
from quantleak.data import Dataset
from quantleak.engines import one_thread, processors
from quantleak.engines import run as run_jobs
from quantleak.errors import InputError
from quantleak.report import write_report
from quantleak.result import AuditResult
from quantleak.store import RESULTS_VERSION, Folder, begun

Progress = Callable[[str, int, int], None]


def audit(
    dataset: Dataset,
    settings: Settings | None = None,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    **overrides: Any,
) -> AuditResult:
    """Train a fleet, quantize it, score it by theory, attack it, and say which quantizer to ship.

    Args:
        dataset: From :func:`quantleak.bundled`, :func:`quantleak.read_table`, :func:`quantleak.read_molecules` or
            :func:`quantleak.from_arrays`.
        settings: What to do; the defaults if None.
        out: Folder for the results; an interrupted audit there is continued. Without it nothing is kept on disk.
        workers: Processes; all processors if None. No number depends on it.
        progress: Called with `(stage, done, total)`.
        overrides: Fields of :class:`Settings` by name, such as `models=32`.

    Raises:
        InputError: Settings or data that cannot be used; a folder that holds another audit.
    """
    start = time.perf_counter()
    settings = override(settings or Settings(), overrides)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _audit(dataset, settings, Path(folder), workers, progress, start)
    return _audit(dataset, settings, Path(out), workers, progress, start)


def _audit(
    dataset: Dataset, settings: Settings, out: Path, workers: int | None, progress: Progress | None, start: float
) -> AuditResult:
    plan = make_plan(dataset, settings, begun(out))
    with Folder(out, plan.identity) as folder:
        if folder.finished():
            return AuditResult.load(out)
        kept = _Keeper(folder, workers or processors(), progress or (lambda stage, done, total: None))
        result = _result(plan, folder.id, kept, start)
        write_report(result, out / "report.html")
        result.save(out)
    return result


def _result(plan: Plan, run: str, kept: _Keeper, start: float) -> AuditResult:
    dataset, settings = plan.dataset, plan.settings
    blocks = {f"block-{number:04}": BlockJob(plan, block.models) for number, block in enumerate(plan.fleet().blocks())}
    gathered = Gathered.of(list(kept("train and follow", blocks).values()))
    trained = time.perf_counter() - start
    attacks = _attack_jobs(plan, gathered)
    attacked = kept("attack", {f"attack-{place:03}": job for place, job in enumerate(attacks.values())})
    with one_thread():
        outcome = compose(plan, gathered, dict(zip(attacks, attacked.values(), strict=True)))
    seconds = {"train": trained, "attack": time.perf_counter() - start - trained, "train_all_workers": gathered.seconds}
    return AuditResult(
        id=run,
        task=dataset.task,
        n=_sizes(plan),
        recommended=outcome.recommended,
        quantizers=outcome.quantizers,
        data=_data(dataset),
        settings=plan.identity["settings"],
        seeds={"seed": settings.seed},
        versions=versions(),
        timings={name: round(value, 3) for name, value in seconds.items()},
        models=outcome.models,
        targets=outcome.targets,
    )


class _Keeper:
    """Runs the jobs that are not done yet and answers what all of them left."""

    def __init__(self, folder: Folder, workers: int, progress: Progress) -> None:
        if workers < 1:
            raise InputError(f"workers must be at least 1, got {workers}.")
        self.folder, self.workers, self.progress = folder, workers, progress

    def __call__(
        self, stage: str, jobs: Mapping[str, Callable[[], Any]]
    ) -> dict[str, tuple[dict[str, np.ndarray], Any]]:
        todo = {key: job for key, job in jobs.items() if not self.folder.done(key)}
        self.progress(stage, len(jobs) - len(todo), len(jobs))
        for done, (key, (arrays, meta)) in enumerate(run_jobs(todo, self.workers), len(jobs) - len(todo) + 1):
            self.folder.keep(key, arrays, meta)
            self.progress(stage, done, len(jobs))
        return {key: self.folder.load(key) for key in jobs}


def _attack_jobs(plan: Plan, gathered: Gathered) -> dict[str, AttackJob]:
    settings = plan.settings
    pool, population = gathered.signals["pool"], gathered.signals["population"]
    by_spec = {
        spec: Signals(pool=pool[:, place], population=population[:, place])
        for place, spec in enumerate(settings.quantizers)
    }
    return {
        spec: AttackJob(
            quantized=signals,
            original=by_spec["identity"],
            member=plan.member,
            groups=plan.dataset.groups[plan.parts.pool],
            task=plan.dataset.task,
            settings=Bootstrap(resamples=settings.resamples, seed=settings.seed, level=settings.level),
            seed=settings.seed,
            identity=spec == "identity",
        )
        for spec, signals in by_spec.items()
    }


def _sizes(plan: Plan) -> dict[str, int]:
    parts = {name: len(getattr(plan.parts, name)) for name in ("pool", "validation", "population", "test")}
    groups = len(np.unique(plan.dataset.groups[plan.parts.pool]))
    return {**parts, "pool_groups": groups, "models": len(plan.member), "members": int(plan.member.sum(1).mean())}


def _data(dataset: Dataset) -> dict[str, Any]:
    classes = None if dataset.classes is None else list(dataset.classes)
    return {"name": dataset.name, "classes": classes, **dataset.provenance.to_dict()}


def versions() -> dict[str, str]:
    """What made the numbers."""
    return {
        "quantleak": quantleak.__version__,
        "results": str(RESULTS_VERSION),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
