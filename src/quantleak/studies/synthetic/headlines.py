"""The findings in at most five sentences, every word of them chosen by the numbers."""

from __future__ import annotations

import numpy as np

from quantleak.report.names import listed
from quantleak.studies.common import Judged
from quantleak.studies.common.numbers import correlation, number
from quantleak.studies.synthetic.findings import COUNT, PAPER, PROPOSED, Findings
from quantleak.studies.synthetic.jobs import Synthetic, Tables

EQUAL = "r_q of random elements, equal counts"
REPORTED = 0.86
RESOLVED = 2.0


def headlines(findings: Findings, claims: Judged) -> list[str]:
    """The sentences, the most important first."""
    study, tables = findings.study, findings.tables
    sentences = [
        _agreement(study, findings),
        _control(findings),
        _resolution(study, tables),
        _proposed(findings),
        _verdicts(claims),
    ]
    return [sentence for sentence in sentences if sentence]


def _agreement(study: Synthetic, findings: Findings) -> str:
    rows = findings.agreement[findings.agreement["score"] == PAPER]["spearman"]
    count = len(study.distributions)
    each = (
        f", the mean over {count} distributions ({correlation(rows.min())} to {correlation(rows.max())})"
        if count > 1
        else ""
    )
    return (
        f"Mean r_Q ranks the eight quantizers as the strongest attack does with a Spearman correlation of "
        f"{_with_limits(findings, PAPER)}{each}; the paper reports {REPORTED:g} against its discriminator."
    )


def _control(findings: Findings) -> str:
    moves = {"worse than": "falls to", "better than": "rises to"}.get(
        _compared(findings, EQUAL, PAPER), "stays about there,"
    )
    return (
        "Minus the number of distinct elements on the trajectory, which is free, reaches "
        f"{_with_limits(findings, COUNT)}, {_compared(findings, COUNT, PAPER)} r_Q; with equally many elements for "
        f"every quantizer, drawn at random, r_Q {moves} {_with_limits(findings, EQUAL)}."
    )


def _resolution(study: Synthetic, tables: Tables) -> str:
    z = tables.models["z"].dropna()
    sentence = (
        f"At N = {study.validation:,} validation examples the best element is not distinguished from its closest "
        f"competitor (z < {RESOLVED:g}) in {100 * float((z < RESOLVED).mean()):.0f}% of models and quantizers"
    )
    if tables.large.empty:
        return f"{sentence}."
    largest = int(tables.large["n_validation"].max())
    median = float(tables.large[tables.large["n_validation"] == largest]["z"].median())
    return f"{sentence}; at N = {largest:,} the median z is {median:.1f}."


def _proposed(findings: Findings) -> str:
    needed = findings.needed.groupby("score")["models"].median()
    mine, theirs = float(needed[PROPOSED]), float(needed[PAPER])
    return (
        f"Fidelity, our estimator, settles after {_models(mine)} where mean r_Q needs {number(theirs)} (medians over "
        f"distributions) and reaches {_with_limits(findings, PROPOSED)}: {_compared(findings, PROPOSED, PAPER)} r_Q "
        f"and {_compared(findings, PROPOSED, COUNT)} the count."
    )


def _models(count: float) -> str:
    return f"{number(count)} model{'' if count == 1 else 's'}"


def _verdicts(claims: Judged) -> str:
    verdicts = [claim["holds"] for claim in claims]
    held, refuted, open_ = (sum(verdict is kind for verdict in verdicts) for kind in (True, False, None))
    kinds = [
        f"{held} hold",
        f"{refuted} are refuted",
        *([f"{open_} could not be judged at this size"] if open_ else []),
    ]
    table = next((claim for claim in claims if claim["id"] == "table2" and claim["ours"] is not None), None)
    accuracy = (
        f"; the accuracies at σ = 2 differ from the paper's Table 2 by {number(table['ours'])} on average"
        if table
        else ""
    )
    return f"Of {len(claims)} claims with thresholds set before the run, {listed(kinds)}{accuracy}."


def _with_limits(findings: Findings, score: str) -> str:
    row = findings.overall[findings.overall["score"] == score]
    value, low, high = (correlation(float(row[column].iloc[0])) for column in ("spearman", "low", "high"))
    return f"{value} [{low}, {high}]"


def _compared(findings: Findings, score: str, than: str) -> str:
    """In words, by the interval of the paired difference."""
    low, high = findings.difference(score, than)
    if not np.isfinite([low, high]).all() or low <= 0 <= high:
        return "not distinguished from"
    return "better than" if low > 0 else "worse than"
