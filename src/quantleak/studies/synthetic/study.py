"""The synthetic study as one object: its jobs, its figures and its claims."""

from __future__ import annotations

from quantleak.engines import Runner
from quantleak.studies.common import Study
from quantleak.studies.synthetic.claims import CLAIMS
from quantleak.studies.synthetic.figures import figures
from quantleak.studies.synthetic.findings import Findings, find
from quantleak.studies.synthetic.jobs import Synthetic, run_jobs
from quantleak.studies.synthetic.price import price
from quantleak.studies.synthetic.words import words


def _run(settings: Synthetic, runner: Runner) -> Findings:
    return find(settings, run_jobs(settings, runner))


STUDY = Study(settings=Synthetic, run=_run, figures=figures, claims=CLAIMS, words=words, price=price)
