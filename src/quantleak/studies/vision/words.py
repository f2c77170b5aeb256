"""What the page of the vision study says beside its figures: what was run, what was found, what to ship."""

from __future__ import annotations

from typing import Any

import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.report.grid import Cell, Column, Row, Table, name
from quantleak.report.names import listed
from quantleak.studies.common import Judged, Words
from quantleak.studies.common.numbers import MISSING, number
from quantleak.studies.vision.figures.drawing import NAMES, width_name
from quantleak.studies.vision.findings import METRIC, NOISE_CONTROL, STOPPED_CONTROL, Findings
from quantleak.studies.vision.jobs import ONLINE, STRONGEST, TERNARY, TRANSFER, WIDTH, Vision
from quantleak.studies.vision.jobs.toy import BOTH, MAPPED

KEEPS = 0.02
"""Accuracy that one may lose and still ship, as in an audit."""
LOW = ("2", TERNARY)

OPEN = (
    (
        "targets",
        "every model of the fleet in turn, the others its shadows; the paper trains 10 targets beside",
        "models",
    ),
    ("queries", "the same views for all models; the paper draws a random flip and crop for each", "queries"),
    ("calibration", "examples, drawn from each model's own members; shadows from theirs", "calibration_examples"),
    ("profile", "of the learned methods: steps and options", "profile"),
    ("batch norms of OBC", "not re-tuned; under the profile “published”, on members only", None),
    ("grids", "one per output channel for every method, 0 always on it; “published” has raw ranges", None),
)
"""What the paper leaves open or the reference does otherwise: name, what it is here, the setting."""


def words(findings: Findings, claims: Judged) -> Words:
    """All that is said."""
    return Words(
        title="The vision study",
        kicker="The study of “Bits for Privacy” (arXiv 2512.15335), with an attacker who quantizes too",
        question="How much of the privacy that low-bit quantization seems to give is the attacker's mismatch?",
        setup=_setup(findings),
        headlines=headlines(findings, claims),
        thresholds="Thresholds were written before any figure of the run was looked at.",
        intervals="over targets and examples",
        open_parameters=_open_parameters(findings.study),
        costs=_costs(findings),
    )


CONTEXT = (
    "Beside: a published evaluation of LiRA on float ResNet-18 of CIFAR-10 with 256 shadows (PoPETs 2026(3), "
    "najeebjebreel/lira_analysis) reports for the online attack AUC .765 and TPR 10.3% at 0.1% FPR, for the offline "
    "one .556 and 3.3%, for a global threshold .600 and 0.1%."
)
"""For studies of the same network and data."""


def headlines(findings: Findings, claims: Judged) -> list[str]:
    """The sentences, the most important first."""
    each = [
        sentence
        for data in findings.measured
        for sentence in (
            _mismatch(findings, data),
            _leakage(findings, data),
            _ship(findings, data),
            _weaker(findings, data),
        )
    ]
    same = findings.study.network == "resnet:18" and "cifar10" in findings.measured
    return [one for one in [*each, _toy(findings), CONTEXT if same else "", _verdicts(claims)] if one]


def _setup(findings: Findings) -> str:
    study = findings.study
    parts = []
    for data, one in findings.measured.items():
        members = int(one.plan.member.sum(1).mean())
        parts.append(f"{data} ({members:,} members of each model, {len(one.plan.parts.pool):,} examples in one pool)")
    return (
        f"{study.models} networks {study.network} on {listed(parts)}, {study.epochs} epochs, quantized by AdaRound, "
        f"BRECQ, OBQ and rounding to nearest at {listed([width_name(width) for width in study.widths])}; every model "
        f"is in turn the target of all others; seed {study.seed}."
    )


def _subject(findings: Findings, data: str) -> str:
    """What opens a sentence: one pool, and which data where there are several."""
    return "" if len(findings.measured) == 1 else f"{data}: "


def _mismatch(findings: Findings, data: str) -> str:
    gaps = findings.gaps
    mine = gaps[(gaps["data"] == data) & (gaps["attack"] == ONLINE) & (gaps["part"] == WIDTH) & gaps["width"].isin(LOW)]
    if mine.empty:
        return f"{_subject(findings, data)}The examples support no rate of 1%: no share of mismatch is given."
    parts = []
    for width in LOW:
        rows = mine[(mine["width"] == width) & (mine["method"] != "rtn")]
        parts.append(f"at {width_name(width)} {listed([_share(row) for row in rows.to_dict('records')])}")
    return (
        f"{_subject(findings, data)}One pool: of the drop in members found at 1% false alarms that the paper's "
        f"attacker sees, this much is mismatch, for quantized shadows find them again: {'; '.join(parts)}."
    )


def _share(row: dict[Any, Any]) -> str:
    """What is mismatch under one quantizer; in points where a share cannot be given."""
    name = NAMES[row["method"]]
    if pd.isna(row["share"]):
        return f"{name} not given, {_points(row['difference'], row['difference_low'], row['difference_high'])}"
    share, low, high = (number(round(100 * row[key])) for key in ("share", "share_low", "share_high"))
    return f"{name} {share}% [{low}, {high}]"


def _points(value: float, low: float, high: float) -> str:
    return f"{100 * value:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"


def _leakage(findings: Findings, data: str) -> str:
    original = _tpr(findings, data, BASELINE, STRONGEST, "any")
    parts = []
    for width in LOW:
        rows = findings.gaps[(findings.gaps["data"] == data) & (findings.gaps["attack"] == ONLINE)]
        rows = rows[(rows["part"] == WIDTH) & (rows["width"] == width) & (rows["method"] != "rtn")]
        if rows.empty:
            continue
        found = [_tpr(findings, data, spec, STRONGEST, "any") for spec in rows["quantizer"]]
        away = [_tpr(findings, data, spec, ONLINE, TRANSFER) for spec in rows["quantizer"]]
        parts.append(f"{_range(found)} at {width_name(width)} (the paper's attacker: {_range(away)})")
    if original is None or not parts:
        return ""
    return (
        f"{_subject(findings, data)}The strongest attack finds {_percent(original)} of the members of the originals, "
        f"{listed(parts)}, by AdaRound, BRECQ and OBQ."
    )


def _range(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return MISSING
    low, high = min(known), max(known)
    return _percent(low) if _percent(low) == _percent(high) else f"{_percent(low)} to {_percent(high)}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def _tpr(findings: Findings, data: str, spec: str, attack: str, mode: str) -> float | None:
    every = findings.attacks
    rows = every[
        (every["data"] == data)
        & (every["quantizer"] == spec)
        & (every["attack"] == attack)
        & (every["mode"] == mode)
        & (every["metric"] == METRIC)
    ]["value"].dropna()
    return float(rows.iloc[0]) if len(rows) else None


def _ship(findings: Findings, data: str) -> str:
    """Of what keeps the accuracy, what leaks least to the strongest attack."""
    utility = findings.utility
    kept = utility[(utility["data"] == data) & (utility["part"] == WIDTH) & (utility["lost"] <= KEEPS)]
    leaks = {spec: _tpr(findings, data, spec, STRONGEST, "any") for spec in kept["quantizer"].astype(str)}
    known = {spec: leak for spec, leak in leaks.items() if leak is not None}
    if not known:
        return f"{_subject(findings, data)}No quantized network loses at most {KEEPS:g} of accuracy and can be judged."
    best = min(known, key=lambda spec: known[spec])
    row = kept[kept["quantizer"] == best].iloc[0]
    original = _tpr(findings, data, BASELINE, STRONGEST, "any")
    beside = "" if original is None else f", {_percent(original)} in the original"
    return (
        f"{_subject(findings, data)}What to ship: of the networks that lose at most {KEEPS:g} of accuracy, "
        f"{NAMES[row['method']]} at {width_name(row['width'])} leaks least ({_percent(known[best])} found at 1% false "
        f"alarms{beside}; accuracy {row['accuracy']:.3f})."
    )


def _weaker(findings: Findings, data: str) -> str:
    rows = findings.controls
    if rows.empty:
        return ""
    mine = rows[(rows["data"] == data) & (rows["part"] == WIDTH) & rows["width"].isin(LOW) & (rows["method"] != "rtn")]
    parts = []
    for control in (NOISE_CONTROL, STOPPED_CONTROL):
        one = mine[mine["control"] == control].dropna(subset=["difference"])
        less, more = int((one["difference_high"] < 0).sum()), int((one["difference_low"] > 0).sum())
        parts.append(f"less than {control} in {less}, more in {more} of {len(one)} cases")
    return f"{_subject(findings, data)}At equal accuracy the low-bit networks certainly leak {listed(parts)}."


def _toy(findings: Findings) -> str:
    online = findings.toy[findings.toy["attack"] == "online"].set_index("scores")["auc"]
    return (
        "Why float shadows fail: where quantization only maps the scores, they lose most of the signal (AUC "
        f"{online[MAPPED]:.3f}), and mapped shadows have all of it ({online[BOTH]:.3f})."
    )


def _verdicts(claims: Judged) -> str:
    counts = {verdict: sum(claim["holds"] is verdict for claim in claims) for verdict in (True, False, None)}
    found = f"Of {len(claims)} claims {counts[True]} hold and {counts[False]} are refuted"
    return f"{found}; {counts[None]} could not be judged." if counts[None] else f"{found}."


def _open_parameters(study: Vision) -> Table:
    columns = (
        Column(title="Left open, or done otherwise", numeric=False),
        Column(title="Here", numeric=False),
        Column(title="What it is", numeric=False, wraps=True),
    )
    rows = [Row(cells=(name(label), name(_setting(study, key)), name(about))) for label, about, key in OPEN]
    return Table(caption="What the paper leaves open", columns=columns, rows=tuple(rows))


def _setting(study: Vision, key: str | None) -> str:
    value = getattr(study, key) if key else "fixed"
    return ", ".join(value) if isinstance(value, tuple) else f"{value:,}" if isinstance(value, int) else str(value)


def _costs(findings: Findings) -> Table:
    columns = (
        Column(title="Stage", numeric=False),
        Column(title="Seconds, all processes together"),
        Column(title="of which each model"),
        Column(title=""),
    )
    models = findings.study.models * len(findings.measured)
    rows = [
        Row(cells=(name(stage), Cell(text=f"{spent:,.1f}"), Cell(text=f"{spent / models:,.1f}"), Cell(text="")))
        for stage, spent in findings.seconds.items()
    ]
    return Table(caption="Seconds by stage", columns=columns, rows=tuple(rows))
