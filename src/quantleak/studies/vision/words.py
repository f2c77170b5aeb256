"""What the page of the vision study says beside its figures: what was run, what was found, what to ship."""

from __future__ import annotations

from typing import Any

import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.report.names import listed
from quantleak.studies.common import Judged, Words
from quantleak.studies.common.numbers import number
from quantleak.studies.vision.claims import PAPER
from quantleak.studies.vision.figures.drawing import NAMES, width_name
from quantleak.studies.vision.findings import LOW, METRIC, NOISE_CONTROL, PAPERS, POOLED, STOPPED_CONTROL, Findings
from quantleak.studies.vision.jobs import (
    ADAPTIVE,
    ANY,
    HEAD,
    ONLINE,
    PUBLISHED,
    STRONGEST,
    TRANSFER,
    WIDTH,
    Row,
)
from quantleak.studies.vision.jobs.toy import BOTH, MAPPED
from quantleak.studies.vision.tables import costs, open_parameters

KEEPS = 0.02
"""Accuracy that one may lose and still ship, as in an audit."""
MOST_NAMED = 3
"""Of networks that cannot be told from the one to ship."""

CONTEXT = (
    "Beside: a published evaluation of LiRA on float ResNet-18 of CIFAR-10 with 256 shadows (PoPETs 2026(3), "
    "najeebjebreel/lira_analysis) reports for the online attack AUC .765 and TPR 10.3% at 0.1% FPR, for the offline "
    "one .556 and 3.3%, for a global threshold .600 and 0.1%."
)
"""For studies of the same network and data."""


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
        open_parameters=open_parameters(findings.study),
        costs=costs(findings),
    )


def headlines(findings: Findings, claims: Judged) -> list[str]:
    """The sentences, the most important first."""
    each = [
        sentence
        for data in findings.measured
        for sentence in (
            *(_leakage(findings, data, width) for width in LOW),
            _other_figures(findings, data),
            _ship(findings, data),
            *(_weaker(findings, data, control) for control in (NOISE_CONTROL, STOPPED_CONTROL)),
        )
    ]
    same = findings.study.network == "resnet:18" and "cifar10" in findings.measured
    found = [_of_the_paper(claims), *each, _toy(findings), CONTEXT if same else "", _verdicts(claims)]
    return [sentence for sentence in found if sentence]


def _setup(findings: Findings) -> str:
    study = findings.study
    parts = []
    for data, one in findings.measured.items():
        members = int(one.plan.member.sum(1).mean())
        parts.append(f"{data} (one pool of {len(one.plan.parts.pool):,} images, {members:,} of them in each model)")
    return (
        f"{study.models} networks {study.network} on {listed(parts)}, {study.epochs} epochs, quantized by AdaRound, "
        f"BRECQ, OBQ and rounding to nearest at {listed([width_name(width) for width in study.widths])}; seed "
        f"{study.seed}. Words: a member is a training image of the attacked model; shadows are models that the "
        "attacker trains to compare with; the original is the network at full precision; ternary is 1.58 bits; "
        "“found” means called a member where 1% of the non-members are called so by mistake."
    )


def _of_the_paper(claims: Judged) -> str:
    """What the paper claims, and how many of its claims hold under each attacker."""
    mine = [claim for claim in claims if claim["source"] == PAPER and claim["holds"] is not None]
    if not mine:
        return ""
    counts = []
    for mode, words_ in (
        (TRANSFER, "with float shadows (the paper's attacker)"),
        (ADAPTIVE, "with shadows quantized like the target"),
    ):
        some = [claim for claim in mine if claim["id"].endswith(mode)]
        if not some:
            return ""
        counts.append(f"{words_} {sum(claim['holds'] for claim in some)} of {len(some)} hold")
    return (
        "The paper says: 4 bits keep accuracy and leakage; 2 bits and ternary trade accuracy for privacy, up to an "
        "order of magnitude; the precision of the last layer tunes this; BRECQ leaks least and varies most. Of these "
        f"claims about leakage, {listed(counts)}."
    )


def _subject(findings: Findings, data: str) -> str:
    """What opens a sentence: which data, where there are several."""
    return "" if len(findings.measured) == 1 else f"{data}: "


def _leakage(findings: Findings, data: str, width: str) -> str:
    """What float and what quantized shadows find, and how much of the drop is mismatch."""
    rows = _gaps(findings, data, ONLINE, METRIC, width)
    if rows.empty:
        return ""
    pooled = rows[rows["method"] == POOLED]
    methods = rows[rows["method"] != POOLED]
    away, near = (_range(list(methods[mode])) for mode in (TRANSFER, ADAPTIVE))
    sentence = (
        f"{_subject(findings, data)}At {width_name(width)}, one pool: online LiRA finds "
        f"{_percent(float(methods['original'].iloc[0]))} of the members in the originals; in the quantized networks "
        f"{away} with float shadows and {near} with quantized shadows (AdaRound, BRECQ, OBQ)."
    )
    for row in pooled.to_dict("records"):
        sentence += f" {_mismatch(row)}"
    return sentence


def _mismatch(row: dict[Any, Any]) -> str:
    """The share of the drop that is the attacker's mismatch, over the three methods."""
    value, *ends = (f"{100 * row[key]:+.1f}" for key in ("difference", "difference_low", "difference_high"))
    points = f"{value} points [{', '.join(ends)}]"
    if pd.isna(row["share"]):
        return f"The difference is {points}; no share is given, for the drop that float shadows see is not certain."
    share, low, high = (number(float(round(100 * row[key]))) for key in ("share", "share_low", "share_high"))
    doubt = "" if row["share_low"] > 0 or row["share_high"] < 0 else ", so that none of it is certain"
    return f"Of the drop that float shadows see, {share}% [{low}, {high}] is mismatch ({points}){doubt}."


def _other_figures(findings: Findings, data: str) -> str:
    """The same difference by the AUC, under the paper's conventions, and for the strongest attack."""
    parts = []
    for attack, metric, words_ in (
        (PUBLISHED, METRIC, "LiRA under the paper's conventions"),
        (STRONGEST, METRIC, "the strongest attack of each kind"),
        (ONLINE, "auc", "the AUC of online LiRA"),
    ):
        each = []
        for width in LOW:
            rows = _gaps(findings, data, attack, metric, width)
            for row in rows[rows["method"] == POOLED].to_dict("records"):
                scale, form, unit = (100, "+.1f", " points") if metric != "auc" else (1, "+.3f", "")
                ends = ", ".join(format(scale * row[f"difference_{end}"], form) for end in ("low", "high"))
                each.append(f"{format(scale * row['difference'], form)}{unit} [{ends}] at {width_name(width)}")
        if each:
            parts.append(f"for {words_} {listed(each)}")
    if not parts:
        return ""
    return (
        f"{_subject(findings, data)}Quantized less float shadows, means of the three methods: {'; '.join(parts)}. "
        "Where it is negative, float shadows are the better ones."
    )


def _gaps(findings: Findings, data: str, attack: str, metric: str, width: str) -> pd.DataFrame:
    """Rows of the paper's methods at a width, and of all of them together."""
    every = findings.gaps
    chosen = (every["data"] == data) & (every["attack"] == attack) & (every["metric"] == metric)
    found: pd.DataFrame = every[chosen & (every["part"] == WIDTH) & (every["width"] == width)]
    return found[found["method"].isin([*PAPERS, POOLED])]


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return _percent(low) if _percent(low) == _percent(high) else f"{_percent(low)} to {_percent(high)}"


def _percent(value: float) -> str:
    return f"{100 * max(value, 0.0):.1f}%"


def _ship(findings: Findings, data: str) -> str:
    """Of what keeps the accuracy, what leaks least to the strongest attack, and whether that is certain."""
    one = findings.measured[data]
    level = one.plan.settings.level
    utility = findings.utility[(findings.utility["data"] == data) & findings.utility["part"].isin([WIDTH, HEAD])]
    kept = utility[utility["lost"] <= KEEPS].set_index("quantizer")
    figures = {spec: one.leakage(spec, STRONGEST, ANY, METRIC) for spec in [BASELINE, *map(str, kept.index)]}
    known = {spec: figure for spec, figure in figures.items() if figure is not None}
    original = known.pop(BASELINE, None)
    if original is None or not known:
        return (
            f"{_subject(findings, data)}What to ship: nothing that loses at most {KEEPS:g} of accuracy can be judged."
        )
    table = findings.attacks[(findings.attacks["data"] == data) & (findings.attacks["metric"] == METRIC)]
    table = table[(table["attack"] == STRONGEST) & (table["mode"] == ANY)].set_index("quantizer")
    ordered = sorted(known, key=lambda spec: float(table["high"].fillna(1.0)[spec]))
    best = ordered[0]
    low, high = (100 * float(table[end][best]) for end in ("low", "high"))
    gain = (original - known[best]).estimate(level)
    certain = gain.low is not None and gain.low > 0
    alike = [spec for spec in ordered[1:] if ((known[spec] - known[best]).estimate(level).low or 0.0) <= 0]
    sentence = (
        f"{_subject(findings, data)}What to ship: of the networks that lose at most {KEEPS:g} of accuracy, "
        f"{_named(one.rows[best])} has the lowest upper limit: the strongest attack finds {_percent(known[best].mean)} "
        f"[{low:.1f}, {high:.1f}] of the members, {_percent(original.mean)} in the original; accuracy "
        f"{kept['accuracy'][best]:.3f} beside {one.utility[BASELINE].crossed.mean:.3f}. "
    )
    if not certain:
        return sentence + "That it leaks less than the original is not certain."
    if not alike:
        return sentence + "It certainly leaks less than the original and than all others that keep the accuracy."
    more = f" and {len(alike) - MOST_NAMED} more" if len(alike) > MOST_NAMED else ""
    names = listed([_named(one.rows[spec]) for spec in alike[:MOST_NAMED]])
    return sentence + f"It certainly leaks less than the original, but not certainly less than {names}{more}."


def _named(row: Row) -> str:
    """A quantizer in words."""
    head = {"body": "", "float": " with a float last layer"}.get(
        row.option, f" with {row.option} bits in the last layer"
    )
    return f"{NAMES[row.method]} at {width_name(row.width)}{head}"


def _weaker(findings: Findings, data: str, control: str) -> str:
    rows = findings.controls
    mine = rows[
        (rows["data"] == data) & (rows["part"] == WIDTH) & rows["width"].isin(LOW) & rows["method"].isin(PAPERS)
    ]
    one = mine[mine["control"] == control]
    if one.empty:
        return ""
    less, more = int((one["difference_high"] < 0).sum()), int((one["difference_low"] > 0).sum())
    apart = int(one["difference"].isna().sum())
    unknown = f", {apart} cannot be compared" if apart else ""
    return (
        f"{_subject(findings, data)}Is it more than a weaker model? Beside {control} at the same accuracy, of "
        f"{len(one)} low-bit networks {less} certainly leak less, {more} certainly more, "
        f"{len(one) - less - more - apart} are undecided{unknown}."
    )


def _toy(findings: Findings) -> str:
    online = findings.toy[findings.toy["attack"] == "online"].set_index("scores")["auc"]
    return (
        "How much mismatch can matter: in a world where quantization only maps the scores, float shadows reach an "
        f"AUC of {online[MAPPED]:.3f}, and shadows that are mapped too {online[BOTH]:.3f}."
    )


def _verdicts(claims: Judged) -> str:
    counts = {verdict: sum(claim["holds"] is verdict for claim in claims) for verdict in (True, False, None)}
    doubtful = sum(claim.get("decided") is False for claim in claims)
    found = f"Of {len(claims)} claims {counts[True]} hold and {counts[False]} are refuted"
    found += f", {doubtful} of these with an interval that holds the threshold" if doubtful else ""
    return f"{found}; {counts[None]} could not be judged." if counts[None] else f"{found}."
