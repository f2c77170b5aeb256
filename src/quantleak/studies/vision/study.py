"""The vision study as one object: its jobs, its figures and its claims."""

from __future__ import annotations

from quantleak.engines import Runner
from quantleak.studies.common import Study
from quantleak.studies.vision.claims import CLAIMS
from quantleak.studies.vision.figures import figures
from quantleak.studies.vision.findings import Findings, find
from quantleak.studies.vision.jobs import Vision, run_jobs
from quantleak.studies.vision.price import price
from quantleak.studies.vision.words import words


def _run(settings: Vision, runner: Runner) -> Findings:
    return find(settings, run_jobs(settings, runner))


STUDY = Study(settings=Vision, run=_run, figures=figures, claims=CLAIMS, words=words, price=price)
