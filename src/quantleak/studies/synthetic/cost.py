"""What the study cost, beside what the paper reports, and on which machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from quantleak.report.grid import Cell, Column, Row, Table, name
from quantleak.studies.synthetic.findings.numbers import MISSING, number
from quantleak.studies.synthetic.jobs import Synthetic
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.paper import SECONDS_A_DISCRIMINATOR, SECONDS_A_TRAINING

PAPERS_MACHINE = "a 48 GB GPU"
FOLLOW, DISCRIMINATORS = "train and follow", "discriminators"


def machine() -> str:
    """Processor, number of processors, versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count()} processors; Python {platform.python_version()}, torch {torch.__version__}"


def table(study: Synthetic, seconds: dict[str, float]) -> Table:
    """A row a stage: seconds of all processes together, those of one unit of work, and the paper's."""
    columns = (
        Column(title="Stage", numeric=False),
        Column(title="Seconds, all processes together"),
        Column(title="of which each"),
        Column(title=f"the paper's each, on {PAPERS_MACHINE}"),
    )
    rows = [_row(study, stage, spent) for stage, spent in seconds.items() if spent > 0]
    total = Row(
        cells=(name("all stages"), Cell(text=f"{sum(seconds.values()):,.0f}"), Cell(text=""), Cell(text="")), opens=True
    )
    return Table(caption="Seconds by stage", columns=columns, rows=(*rows, total))


def _row(study: Synthetic, stage: str, spent: float) -> Row:
    count, unit, reported = {
        FOLLOW: (len(study.distributions) * study.models, "training, followed under 8 quantizers", SECONDS_A_TRAINING),
        DISCRIMINATORS: (
            len(study.distributions) * len(QUANTIZED) * (1 + len(study.baseline_sizes)),
            "discriminator",
            SECONDS_A_DISCRIMINATOR,
        ),
    }.get(stage, (0, "", 0))
    each = Cell(text=f"{number(spent / count)} s", note=f"{count:,} times a {unit}") if count else Cell(text=MISSING)
    theirs = Cell(text=f"{reported:,} s") if reported else Cell(text=MISSING)
    return Row(cells=(name(stage), Cell(text=f"{spent:,.1f}"), each, theirs))
