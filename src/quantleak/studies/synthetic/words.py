"""What the page of the synthetic study says beside its figures: what was run, what was found, what it cost."""

from __future__ import annotations

import numpy as np

from quantleak.report.grid import Cell, Column, Row, Table, name
from quantleak.report.names import listed
from quantleak.studies.common import Judged, Words
from quantleak.studies.common.numbers import MISSING, correlation, number
from quantleak.studies.synthetic.findings import COUNT, PAPER, PROPOSED, Findings
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.paper import SECONDS_A_DISCRIMINATOR, SECONDS_A_TRAINING

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
        _perceptrons(findings),
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


def _perceptrons(findings: Findings) -> str:
    if not findings.perceptron:
        return ""
    each = findings.perceptron["agreement"].groupby(["score", "n_validation"], dropna=False)["spearman"].mean()
    r_q = each["r_q"]
    smallest, largest = int(r_q.index.min()), int(r_q.index.max())
    others = (correlation(float(each[name].iloc[0])) for name in ("fidelity", "elements", "true_negatives"))
    fidelity, count, negatives = others
    return (
        f"On a perceptron the correlation with the strongest attack is {correlation(float(r_q[smallest]))} for r_Q at "
        f"N = {smallest:,} and {correlation(float(r_q[largest]))} at N = {largest:,}; it is {fidelity} for fidelity, "
        f"{count} for minus the number of distinct elements and {negatives} for the true negative rate of LOSS "
        "(at a TPR of 0.99)."
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


PAPERS_MACHINE = "a 48 GB GPU"
FOLLOW, DISCRIMINATORS = "train and follow", "discriminators"

OPEN = (
    (
        "centres of the mixture",
        "normal with mean 0 and this standard deviation in each coordinate, one draw per distribution",
        "mode_scale",
    ),
    ("draws of the centres", "behind the accuracies; the first also carries everything else", "draws"),
    ("labels of the modes", "0 and 1 in turn", None),
    ("batch", "examples of a step of Adam", "batch"),
    ("first weights", "PyTorch's default for a linear layer; no bias", None),
    ("validation examples N", "behind r_Q, fresh, the same for all models of a distribution", "validation"),
    ("test examples", "behind the accuracies, fresh likewise", "test"),
)
"""What the paper leaves open: name, what it means here, the setting."""


def words(findings: Findings, claims: Judged) -> Words:
    """All that is said."""
    return Words(
        title="The synthetic study",
        kicker="The synthetic study of “Membership Inference Risks in Quantized Models” (arXiv 2502.06567), with "
        "ground truth and controls",
        question="Does r_Q rank quantizers as the strongest attack does, and is it more than a count?",
        setup=_setup(findings.study),
        headlines=headlines(findings, claims),
        thresholds="Thresholds were written before the run; ours after a pilot on another seed (777, 96 models of each "
        "distribution), the discriminator's after a trial on other data.",
        open_parameters=_open_parameters(findings.study),
        costs=_costs(findings.study, findings.tables.seconds),
        papers_cost="The paper reports 4 minutes to train one classifier, one second of it for r_Q, and 40 minutes for "
        f"one discriminator, on {PAPERS_MACHINE}.",
    )


def _setup(study: Synthetic) -> str:
    """The study in one sentence."""
    sigmas, modes = (", ".join(f"{value:g}" for value in values) for values in (study.sigmas, study.modes))
    balanced = (
        f"; a balanced fleet of {study.balanced_models} models each" if study.balanced else "; no balanced fleets"
    )
    discriminators = "the paper's discriminators" if study.discriminators else "no discriminators"
    return (
        f"{len(study.distributions)} mixtures of Gaussians (σ = {sigmas}; {modes} modes), {study.models} linear models "
        f"of each, every one on {study.examples} fresh examples for {study.epochs:,} epochs, eight quantizers at every "
        f"epoch{balanced}; {discriminators}; seed {study.seed}."
    )


def _open_parameters(study: Synthetic) -> Table:
    """The settings that the paper does not state."""
    columns = (
        Column(title="Left open by the paper", numeric=False),
        Column(title="Here", numeric=False),
        Column(title="What it is", numeric=False, wraps=True),
    )
    rows = [
        Row(cells=(name(label), name(f"{getattr(study, key):,}" if key else "fixed"), name(about)))
        for label, about, key in OPEN
    ]
    return Table(caption="What the paper leaves open", columns=columns, rows=tuple(rows))


def _costs(study: Synthetic, seconds: dict[str, float]) -> Table:
    """One row per stage: seconds of all processes together, those of one unit of work, and the paper's."""
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
