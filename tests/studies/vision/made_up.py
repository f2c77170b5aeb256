"""Figures of a data set that nobody measured, so that what is found in them is known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from quantleak.attacks import Crossed
from quantleak.auditing.measures.utility import Measured as Metric
from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.findings import Findings, Measured
from quantleak.studies.vision.jobs import HEAD, HEAD_ALONE, WIDTH, Row, RowOutput

TARGETS, GROUPS, MEMBERS = 8, 40, 1000
LEVEL = 0.95
Key = tuple[str, str, str, str]
"""Name of a row or control, attack, mode, metric."""


def figure(value: float, spread: float = 0.0) -> Crossed:
    """Known to the last digit; with a spread, half of the targets have so much more and half so much less."""
    values = value + spread * np.resize([1.0, -1.0], TARGETS)
    return Crossed(values=values, influence=np.zeros((TARGETS, GROUPS)))


def as_figure(value: float | Crossed) -> Crossed:
    return value if isinstance(value, Crossed) else figure(value)


BASE = Row(spec=BASELINE, part=BASELINE, method=BASELINE, width="32")


def width_row(method: str, width: str) -> Row:
    return Row(spec=f"{method}:{width}", part=WIDTH, method=method, width=width)


def head_row(method: str) -> Row:
    return Row(spec=f"{method}:ternary?head=float", part=HEAD, method=method, width="ternary", option="float")


ALONE = Row(spec="rtn:ternary?only=fc", part=HEAD_ALONE, method="rtn", width="ternary", option="fc")
PUBLISHED = ("adaround", "brecq", "obq")
ROWS = (
    BASE,
    *(width_row(method, width) for method in PUBLISHED for width in ("4", "2", "ternary")),
    *(head_row(method) for method in PUBLISHED),
    ALONE,
)


def measured(
    leakage: Mapping[Key, float | Crossed],
    accuracy: Mapping[str, float | Crossed],
    rows: Iterable[Row] = ROWS,
    *,
    name: str = "made up",
    stopped_at: tuple[int, ...] = (),
    epochs: int = 10,
) -> Measured:
    """A data set with these figures; without a plan, without networks."""
    outputs = {key[0]: RowOutput(figures=[], columns={}, influence={}, examples={}, calibrated={}, seconds=0.0)
               for key in leakage}  # fmt: skip
    for (row, attack, mode, metric), value in leakage.items():
        one = as_figure(value)
        outputs[row].columns[f"{attack}/{mode}/{metric}"] = one.values
        outputs[row].influence[f"{attack}/{mode}/{metric}"] = one.influence.astype(np.float32)
    settings = SimpleNamespace(level=LEVEL, seed=0, epochs=epochs)
    fields: dict[str, Any] = {
        "name": name,
        "plan": SimpleNamespace(settings=settings, member=np.ones((TARGETS, MEMBERS), bool)),
        "rows": {row.spec: row for row in rows},
        "stopped_at": stopped_at,
        "outputs": outputs,
        "utility": {key: Metric(crossed=as_figure(value), estimate=Estimate(value=as_figure(value).mean))
                    for key, value in accuracy.items()},
    }  # fmt: skip
    made = object.__new__(Measured)
    made.__dict__.update(fields)
    return made


def findings(**fields: Any) -> Findings:
    """As much of the findings as is given; the study draws 200 times, at a level of 95%."""
    made = object.__new__(Findings)
    study = SimpleNamespace(level=LEVEL, seed=0, resamples=200)
    made.__dict__.update({"study": study, "measured": {}} | fields)
    return made
