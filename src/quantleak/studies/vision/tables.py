"""Tables of the page of the vision study beside its figures: what the paper leaves open, and what the study cost."""

from __future__ import annotations

from quantleak.report.grid import Cell, Column, Row, Table, name
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import Vision
from quantleak.studies.vision.jobs.settings import PROFILES

OPEN = (
    (
        "targets",
        "Every model is in turn the target and all others are its shadows. The paper trains 10 further models as "
        "targets. Targets that share shadows are correlated; the intervals take the spread between targets as it is.",
        "models",
    ),
    (
        "queries",
        "The same views of each image for all models. The paper draws a random flip and crop for each.",
        "queries",
    ),
    (
        "calibration",
        "Examples that a method reads: of each model's own members, of a shadow's for the shadow, without "
        "augmentation. The reference reads 2,048 for OBC, in ten augmented views.",
        "calibration_examples",
    ),
    ("profile", "Of the methods: {options}.", "profile"),
    (
        "batch norms",
        "Not taken again after quantization. The profile “published” does so for OBC, on members only.",
        None,
    ),
    ("grids", "One for each output channel, 0 always on it. “Published” lets 0 fall off for AdaRound and BRECQ.", None),
    (
        "last layer",
        "Ternary means that it is ternary too; the reference gives it 8 bits, which is a row of its own here.",
        None,
    ),
)
"""What the paper leaves open or the reference does otherwise: name, what it is here, the setting."""


def open_parameters(study: Vision) -> Table:
    """What the paper leaves open, or the reference does otherwise, and what it is here."""
    columns = (
        Column(title="Left open, or done otherwise", numeric=False),
        Column(title="Here", numeric=False),
        Column(title="What it is", numeric=False, wraps=True),
    )
    options = "; ".join(
        f"{method} {text.replace('&', ', ') or 'as usual'}" for method, text in PROFILES[study.profile].items()
    )
    rows = [
        Row(cells=(name(label), name(_setting(study, key)), name(about.format(options=options))))
        for label, about, key in OPEN
    ]
    return Table(caption="What the paper leaves open", columns=columns, rows=tuple(rows))


def _setting(study: Vision, key: str | None) -> str:
    value = getattr(study, key) if key else "fixed"
    return ", ".join(value) if isinstance(value, tuple) else f"{value:,}" if isinstance(value, int) else str(value)


def costs(findings: Findings) -> Table:
    """Seconds of all processes together, by stage."""
    columns = (
        Column(title="Stage", numeric=False),
        Column(title="Seconds, all processes together"),
        Column(title="per model"),
    )
    models = findings.study.models * len(findings.measured)
    rows = [
        Row(cells=(name(stage), Cell(text=f"{spent:,.1f}"), Cell(text=f"{spent / models:,.1f}")))
        for stage, spent in findings.seconds.items()
    ]
    return Table(caption="Seconds by stage", columns=columns, rows=tuple(rows))
