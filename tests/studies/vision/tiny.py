"""A study so small that tests can run it: eight small networks on digits, learned rounding for a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantleak.auditing.plan import Plan
from quantleak.engines import Local, Runner
from quantleak.store import Folder
from quantleak.studies.vision.findings import Findings, Measured, find
from quantleak.studies.vision.jobs import Ran, Vision, run_jobs, settings

DATA = "digits"
FEW = {"short": {"adaround": "iterations=3", "brecq": "iterations=3", "obq": "", "rtn": ""}}


@contextmanager
def few_iterations() -> Iterator[None]:
    """Learned rounding is as short as it can be while this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "PROFILES", {**settings.PROFILES, **FEW})
        yield


def tiny_study() -> Vision:
    """The smallest in which online LiRA has a true positive rate at 1%: 8 targets with 250 non-members each."""
    return Vision.preset("quick").changed(
        {
            "models": 8,
            "epochs": 3,
            "evaluate_every": 1,
            "batch": 8,
            "optimizer": "adam:0.02",
            "network": "conv:6,8",
            "smaller": "conv:2",
            "calibration_examples": 16,
            "pool": 520,
            "widths": ["2", "ternary"],
            "head_options": [],
            "followed": ["6", "2", "ternary"],
            "resamples": 100,
        }
    )


def run_tiny(study: Vision, out: Path, workers: int) -> Ran:
    """Run or continue it in a folder."""
    with few_iterations(), Folder(out, {"study": study.name, "settings": study.identity}, "study") as folder:
        return run_jobs(study, Runner(folder, Local(workers)))


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """The study, what its jobs left, and what was found."""

    study: Vision
    ran: Ran
    found: Findings
    folder: Path

    @property
    def plan(self) -> Plan:
        return self.ran.plans[DATA].quantized

    @property
    def one(self) -> Measured:
        return self.found.measured[DATA]


def make_tiny(out: Path) -> Tiny:
    study = tiny_study()
    ran = run_tiny(study, out, workers=1)
    return Tiny(study=study, ran=ran, found=find(study, ran), folder=out)
