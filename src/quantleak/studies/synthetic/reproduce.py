"""The study from its settings to its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quantleak.engines import Progress
from quantleak.studies.synthetic.claims import judge
from quantleak.studies.synthetic.findings.findings import find
from quantleak.studies.synthetic.jobs import Synthetic
from quantleak.studies.synthetic.jobs.study import run_study
from quantleak.studies.synthetic.page import write_study


def reproduce(
    study: Synthetic, out: str | Path, workers: int | None = None, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Run or continue the study, and write its figures, `claims.json`, summary and page into `out`.

    Args:
        study: What to run.
        out: The folder; an interrupted study there is continued.
        workers: Processes; all processors if None. No number depends on it.
        progress: Called with `(stage, done, total)`.

    Returns:
        The claims with their verdicts, as `claims.json` has them.

    Raises:
        InputError: If the folder holds another study.
    """
    tables = run_study(study, Path(out), workers, progress)
    findings = find(study, tables)
    claims = judge(study, tables, findings)
    write_study(study, tables, findings, claims, Path(out))
    return claims
