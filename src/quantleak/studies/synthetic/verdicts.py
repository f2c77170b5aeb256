"""How each claim is judged: from the study's tables to a figure, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from quantleak.studies.common import NOT_JUDGED, Verdict
from quantleak.studies.common.ranking import spearman
from quantleak.studies.synthetic.findings import PAPER, PROPOSED, Findings
from quantleak.studies.synthetic.jobs import CELL
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.paper import ACCURACY_AT_SIGMA_2


def accuracies(findings: Findings) -> Verdict:
    """Mean absolute difference to Table 2 at sigma 2."""
    means = (
        findings.tables.accuracy[findings.tables.accuracy["sigma"] == 2.0]
        .groupby(["k_modes", "quantizer"])["accuracy"]
        .mean()
    )
    known = [modes for modes in ACCURACY_AT_SIGMA_2 if modes in findings.study.modes]
    if 2.0 not in findings.study.sigmas or not known:
        return NOT_JUDGED
    differences = [
        abs(means[modes, spec] - value) for modes in known for spec, value in ACCURACY_AT_SIGMA_2[modes].items()
    ]
    ours = float(np.mean(differences))
    return Verdict(ours=ours, holds=ours <= 0.015)


def agreement_of(name: str, least: float) -> Callable[[Findings], Verdict]:
    """Mean Spearman of a score with the strongest attack's MIS, at least so much."""

    def judge(findings: Findings) -> Verdict:
        return _at_least(findings.overall[findings.overall["score"] == name], least)

    return judge


def _at_least(rows: pd.DataFrame, least: float) -> Verdict:
    """The Spearman correlation of the first row against a threshold."""
    value, low, high = (float(rows[name].iloc[0]) for name in ("spearman", "low", "high"))
    return Verdict(ours=value, low=low, high=high, holds=value >= least)


def smallest_agreement(findings: Findings) -> Verdict:
    """The smallest Spearman of r_Q over the distributions."""
    rows = findings.agreement[findings.agreement["score"] == PAPER]
    return _at_least(rows[rows["spearman"] == rows["spearman"].min()], 0.62)


def ordered(column: str, *specs: str) -> Callable[[Findings], Verdict]:
    """Share of distributions in which the quantizers come in this order, the least private first.

    By the mean of `column` of the models, or by the strongest attack where it is `mis`.
    """

    def judge(findings: Findings) -> Verdict:
        wide = _by_distribution(column, findings)
        steps = wide[list(specs)].diff(axis=1).iloc[:, 1:] > 0
        share = float(steps.all(axis=1).mean())
        return Verdict(ours=share, holds=share > 0.5)

    return judge


def most_private(column: str, *specs: str) -> Callable[[Findings], Verdict]:
    """Share of distributions in which these are the most private of the eight, the most private first."""

    def judge(findings: Findings) -> Verdict:
        order = np.argsort(-_by_distribution(column, findings)[list(QUANTIZED)].to_numpy(), axis=1)
        first = np.array(QUANTIZED)[order[:, : len(specs)]]
        share = float((first == np.array(specs)).all(axis=1).mean())
        return Verdict(ours=share, holds=share > 0.5)

    return judge


def _by_distribution(column: str, findings: Findings) -> pd.DataFrame:
    """Distributions in rows, quantizers in columns; larger = more private."""
    if column == "mis":
        frame = findings.mis[findings.mis["attack"] == "strongest"]
        return frame.pivot(index=CELL, columns="quantizer", values="mis")
    return findings.tables.models.groupby([*CELL, "quantizer"])[column].mean().unstack()


def needed(name: str) -> Callable[[Findings], Verdict]:
    """Median over distributions of the models that a ranking needs to stay at 0.95 of its own."""

    def judge(findings: Findings) -> Verdict:
        models = findings.needed[findings.needed["score"] == name]["models"]
        ours = float(models.median())
        return Verdict(ours=ours, low=float(models.min()), high=float(models.max()), holds=ours <= 20)

    return judge


def half_as_many(findings: Findings) -> Verdict:
    """In how many distributions our estimator needs at most half of the models that the plain mean needs."""
    wide = findings.needed.pivot(index=CELL, columns="score", values="models")
    count = int((wide[PROPOSED] <= wide[PAPER] / 2).sum())
    return Verdict(ours=float(count), holds=count >= round(7 / 9 * len(wide)))


def at_least_as(name: str, than: str) -> Callable[[Findings], Verdict]:
    """Difference of two mean agreements."""

    def judge(findings: Findings) -> Verdict:
        found = findings.overall.set_index("score")["spearman"]
        ours = float(found[name] - found[than])
        low, high = findings.difference(name, than)
        return Verdict(ours=ours, low=low, high=high, holds=ours >= 0)

    return judge


def equal_counts(findings: Findings) -> Verdict:
    """How much r_Q's agreement loses when every quantizer has equally many elements, drawn at random."""
    verdict = at_least_as(PAPER, "r_q of random elements, equal counts")(findings)
    assert verdict.ours is not None
    return Verdict(ours=verdict.ours, low=verdict.low, high=verdict.high, holds=verdict.ours >= 0.1)


def unresolved(findings: Findings) -> Verdict:
    """Share of (model, quantizer) with z below 2 at the study's N."""
    z = findings.tables.models["z"].dropna()
    return Verdict(ours=float((z < 2).mean()), holds=bool((z < 2).mean() > 0.5))


def resolved_at_large_n(findings: Findings) -> Verdict:
    """Median z at the largest N."""
    if findings.tables.large.empty or findings.tables.large["n_validation"].max() < 100_000:
        return NOT_JUDGED
    z = findings.tables.large[findings.tables.large["n_validation"] == findings.tables.large["n_validation"].max()][
        "z"
    ].median()
    return Verdict(ours=float(z), holds=bool(z >= 2))


def closest_is_early(findings: Findings) -> Verdict:
    """Median place of the closest competitor in the order of mean loss, as a share of the elements."""
    places = (findings.tables.models["closest"] / findings.tables.models["elements"]).dropna()
    return Verdict(ours=float(places.median()), holds=bool(places.median() <= 0.1))


def no_better_than_loss(findings: Findings) -> Verdict:
    """Mean accuracy of the discriminators minus that of the best loss threshold on the same models."""
    if findings.tables.baseline.empty:
        return NOT_JUDGED
    rows = findings.tables.baseline[findings.tables.baseline["models"] == findings.study.models]
    gains = (rows["accuracy"] - rows["loss_accuracy"]).groupby([rows[c] for c in (*CELL, "quantizer")]).mean()
    return Verdict(ours=float(gains.mean()), holds=bool(gains.mean() <= 0.01))


def baseline_needs(findings: Findings) -> Verdict:
    """Fewest models at which the discriminators' ranking has mean Spearman 0.95 with that of all models."""
    if findings.tables.baseline.empty:
        return NOT_JUDGED
    mis = findings.tables.baseline.groupby([*CELL, "models", "quantizer"])["accuracy"].mean().unstack()[list(QUANTIZED)]
    full = mis.xs(findings.study.models, level="models")
    sizes = sorted(findings.study.baseline_sizes)
    reached = [s for s in sizes if np.nanmean(spearman(mis.xs(s, level="models").to_numpy(), full.to_numpy())) >= 0.95]
    ours = float(reached[0] if reached else findings.study.models)
    return Verdict(ours=ours, holds=ours >= 100)


def no_attack_below(findings: Findings) -> Verdict:
    """Smallest difference between the LOSS attack's MIS bound and the exact MIS."""
    if not findings.tables.exact:
        return NOT_JUDGED
    found = findings.tables.exact["problems"].dropna(subset="loss_bound")
    least = float((found["loss_bound"] - found["mis"]).min())
    return Verdict(ours=least, holds=least >= -1e-9)


def certificate_below(findings: Findings) -> Verdict:
    """Smallest difference between the exact MIS (its upper limit where sampled) and the certificate."""
    if not findings.tables.exact:
        return NOT_JUDGED
    found = findings.tables.exact["problems"]
    least = float((found["high"] - found["certificate"]).min())
    return Verdict(ours=least, holds=least >= -1e-9)


def slope_is_cramer(findings: Findings) -> Verdict:
    """Share of the problems whose two rates differ in which the slope at the largest n lies nearer to Cramer's.

    Less `ln 2 / (2 n)`: sums of n lattice variables exceed a level with a factor 1 / sqrt(n) before the exponential.
    """
    if not findings.tables.exact:
        return NOT_JUDGED
    found = findings.tables.exact["problems"].dropna(subset="slope")
    found = found[(found["cramer"] - found["r_q"]).abs() > 0.02 * found["cramer"]]
    last = found.loc[found.groupby("problem")["n"].idxmax()]
    slope = last["slope"] - np.log(2) / (2 * last["n"])
    nearer = (slope - last["cramer"]).abs() < (slope - last["r_q"]).abs()
    return Verdict(ours=float(nearer.mean()), holds=bool(nearer.all()))


def r_q_misleads(findings: Findings) -> Verdict:
    """How often "rare win", which r_Q calls the more private, leaks more than "rare loss", at the n tried."""
    if not findings.tables.exact:
        return NOT_JUDGED
    leak = findings.tables.exact["problems"].pivot(index="n", columns="problem", values="leak")
    r_q = findings.tables.exact["problems"].groupby("problem")["r_q"].first()
    share = float((leak["rare win"] > leak["rare loss"]).mean())
    return Verdict(ours=share, holds=bool(r_q["rare win"] > r_q["rare loss"] and share > 0.5))


def perceptrons_at(score: str, least: float) -> Callable[[Findings], Verdict]:
    """Mean Spearman of a score of perceptrons with the strongest attack, at the largest N: at least so much.

    The limits are the smallest and the largest over distributions.
    """

    def judge(findings: Findings) -> Verdict:
        each = _of_perceptrons(findings, score, "largest")
        if each is None:
            return NOT_JUDGED
        return Verdict(ours=each.mean(), low=each.min(), high=each.max(), holds=bool(each.mean() >= least))

    return judge


def reversed_at_small_n(findings: Findings) -> Verdict:
    """Mean Spearman of perceptrons' r_Q with the strongest attack at the smallest N: below 0."""
    each = _of_perceptrons(findings, "r_q", "smallest")
    if each is None:
        return NOT_JUDGED
    return Verdict(ours=each.mean(), low=each.min(), high=each.max(), holds=bool(each.mean() < 0))


def perceptrons_resolved(findings: Findings) -> Verdict:
    """Smallest over the quantizers of the median z at the largest N."""
    if not findings.tables.perceptron or not _is_large(findings):
        return NOT_JUDGED
    rates = findings.tables.perceptron["rates"]
    z = rates[rates["n_validation"] == rates["n_validation"].max()].groupby("quantizer")["z"].median()
    return Verdict(ours=float(z.min()), high=float(z.max()), holds=bool(z.min() >= 2))


def perceptrons_at_least_as(score: str, than: str) -> Callable[[Findings], Verdict]:
    """Difference of two scores' mean Spearman on perceptrons, at the largest N: at least 0."""

    def judge(findings: Findings) -> Verdict:
        one, two = (_of_perceptrons(findings, name, "largest") for name in (score, than))
        if one is None or two is None:
            return NOT_JUDGED
        gap = one - two
        return Verdict(ours=gap.mean(), low=gap.min(), high=gap.max(), holds=bool(gap.mean() >= 0))

    return judge


def _of_perceptrons(findings: Findings, score: str, at: str) -> pd.Series | None:
    """By distribution, Spearman of a score; None where the study was too small to judge it."""
    if not findings.perceptron or not _is_large(findings):
        return None
    rows = findings.perceptron["agreement"]
    rows = rows[rows["score"] == score]
    sizes = rows["n_validation"]
    if sizes.notna().any():
        rows = rows[sizes == (sizes.max() if at == "largest" else sizes.min())]
    return rows.set_index(CELL)["spearman"]


def _is_large(findings: Findings) -> bool:
    return findings.study.large_validation >= 100_000


def quantized_exactly(score: str, least: float) -> Callable[[Findings], Verdict]:
    """Mean Spearman of a score with exact privacy, trained then quantized, at n = 100: at least so much."""

    def judge(findings: Findings) -> Verdict:
        if not findings.tables.exact:
            return NOT_JUDGED
        rows = findings.tables.exact["ranking"]
        here = (rows["n"] == 100) & (rows["truth"] == "leak_quantized") & (rows["score"] == score)
        return _at_least(rows[here], least)

    return judge
