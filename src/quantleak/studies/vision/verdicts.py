"""How the claims of the vision study are judged; a claim holds if it holds on every data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.common import NOT_JUDGED, Verdict
from quantleak.studies.vision.comparisons import (
    above,
    by_method,
    difference,
    low_widths,
    published_rows,
    ratio,
    value_of,
)
from quantleak.studies.vision.findings import LOW, METRIC, PAPERS, POOLED, Findings, limits, resampled
from quantleak.studies.vision.jobs import (
    ADAPTIVE,
    HEAD,
    HEAD_ALONE,
    ONLINE,
    SMALLER,
    TERNARY,
    TRANSFER,
    WIDTH,
)
from quantleak.studies.vision.jobs.toy import BOTH, INVERTED, MAPPED

Judge = Callable[[Findings], Verdict]

BRECQ = "brecq"
FOUR = "4"
TENTH = "tpr@0.001"


def four_bits_accuracy(most: float) -> Judge:
    """The largest loss of accuracy at 4 bits."""

    def judge(findings: Findings) -> Verdict:
        losses = [one.lost(row.spec) for one, row in published_rows(findings, (FOUR,))]
        worst = max(losses, key=value_of, default=None)
        return NOT_JUDGED if worst is None else _verdict(worst, value_of(worst) <= most, most)

    return judge


def four_bits_leakage(mode: str, least: float) -> Judge:
    """The smallest share of the original's TPR at 1% FPR at 4 bits."""

    def judge(findings: Findings) -> Verdict:
        ratios = [ratio(findings, one, row, mode, METRIC) for one, row in published_rows(findings, (FOUR,))]
        found = [ratio for ratio in ratios if ratio is not None]
        worst = min(found, key=value_of, default=None)
        return NOT_JUDGED if worst is None else _verdict(worst, value_of(worst) >= least, least)

    return judge


def trade(mode: str) -> Judge:
    """The share of methods and widths that lose accuracy and leakage, both beyond their intervals."""

    def judge(findings: Findings) -> Verdict:
        found = []
        for one, row in published_rows(findings, LOW):
            drop = difference(one, (BASELINE, mode), (row.spec, mode))
            if drop is not None:
                found.append(above(one.lost(row.spec)) and above(drop))
        share = float(np.mean(found)) if found else None
        return NOT_JUDGED if share is None else Verdict(ours=share, holds=share == 1)

    return judge


def magnitude(mode: str, least: float, keeping: float = np.inf) -> Judge:
    """The largest factor by which the TPR at 0.1% FPR falls among those that lose at most `keeping` of accuracy."""

    def judge(findings: Findings) -> Verdict:
        verdicts = []
        for one in findings.measured.values():
            rows = [
                row
                for data, row in published_rows(findings, LOW)
                if data is one and value_of(one.lost(row.spec)) <= keeping
            ]
            shares = [ratio(findings, one, row, mode, TENTH) for row in rows]
            best = min((share for share in shares if share is not None), key=value_of, default=None)
            before = one.leakage(BASELINE, ONLINE, mode, TENTH)
            if best is not None and before is not None:
                # A figure of 0 or, after its correction, below counts as one member found in all targets together.
                floor = 1 / float(one.plan.member.sum() * before.mean)
                low, high = (max(end or 0.0, floor) for end in (best.low, best.high))
                factor = 1 / max(value_of(best), floor)
                found = Estimate(value=factor, low=1 / high, high=1 / low)
                verdicts.append(_verdict(found, factor >= least, least))
        return _together(verdicts)

    return judge


def head_tunes(mode: str) -> Judge:
    """The smallest gain in leakage from a float head over one as the body, which must gain accuracy too."""

    def judge(findings: Findings) -> Verdict:
        found: list[tuple[Estimate, Estimate]] = []
        for one, body in published_rows(findings, (TERNARY,)):
            free = one.find(HEAD, body.method, TERNARY, "float")
            leak = None if free is None else difference(one, (free.spec, mode), (body.spec, mode))
            if free is not None and leak is not None:
                gained = one.utility[free.spec].crossed - one.utility[body.spec].crossed
                found.append((leak, gained.estimate(findings.study.level)))
        if not found:
            return NOT_JUDGED
        smallest = min((leak for leak, _ in found), key=value_of)
        return _verdict(smallest, all(above(leak) and above(gained) for leak, gained in found))

    return judge


def brecq_lowest(mode: str) -> Judge:
    """The largest difference of BRECQ's TPR at 1% FPR from the lowest of the other methods."""

    def judge(findings: Findings) -> Verdict:
        found: list[Estimate] = []
        for one, width in low_widths(findings):
            figures = by_method(one, width, mode)
            if BRECQ in figures and len(figures) > 1:
                other = min((f for method, f in figures.items() if method != BRECQ), key=lambda f: f.mean)
                found.append((figures[BRECQ] - other).estimate(findings.study.level))
        worst = max(found, key=value_of, default=None)
        return NOT_JUDGED if worst is None else _verdict(worst, value_of(worst) < 0, 0.0)

    return judge


def brecq_varies_most(mode: str) -> Judge:
    """The smallest ratio of BRECQ's spread over targets to the largest of the other methods."""

    def judge(findings: Findings) -> Verdict:
        ratios: list[float] = []
        for one, width in low_widths(findings):
            spreads = {method: float(f.values.std(ddof=1)) for method, f in by_method(one, width, mode).items()}
            others = [spread for method, spread in spreads.items() if method != BRECQ]
            if BRECQ in spreads and others and max(others) > 0:
                ratios.append(spreads[BRECQ] / max(others))
        return Verdict(ours=min(ratios), holds=min(ratios) > 1) if ratios else NOT_JUDGED

    return judge


def mismatch(width: str, least: float) -> Judge:
    """The share of the drop that is mismatch, of the means over the three methods."""

    def judge(findings: Findings) -> Verdict:
        rows = findings.gaps
        mine = rows[
            (rows["attack"] == ONLINE)
            & (rows["metric"] == METRIC)
            & (rows["method"] == POOLED)
            & (rows["width"] == width)
        ].dropna(subset=["share"])
        found = [
            Estimate(value=float(row["share"]), low=float(row["share_low"]), high=float(row["share_high"]))
            for row in mine.to_dict("records")
        ]
        return _together([_verdict(share, value_of(share) >= least, least) for share in found])

    return judge


def quantizing_finds_more(findings: Findings) -> Verdict:
    """The smallest difference between quantized and float shadows at 2 bits and ternary."""
    found = []
    for one, row in published_rows(findings, LOW):
        gap = difference(one, (row.spec, ADAPTIVE), (row.spec, TRANSFER))
        if gap is not None:
            found.append(gap)
    smallest = min(found, key=value_of, default=None)
    return NOT_JUDGED if smallest is None else _verdict(smallest, all(map(above, found)))


def leaks_less_than(control: str, least: float) -> Judge:
    """The share of methods and widths that leak less than a control at equal accuracy, beyond the interval."""

    def judge(findings: Findings) -> Verdict:
        rows = findings.controls
        if rows.empty:
            return NOT_JUDGED
        mine = rows[
            (rows["control"] == control)
            & (rows["part"] == WIDTH)
            & rows["width"].isin(LOW)
            & rows["method"].isin(PAPERS)
        ]
        if mine["difference"].isna().all():
            return NOT_JUDGED
        # What cannot be compared at equal accuracy is not certainly lower: it counts in the denominator.
        shares = (mine["difference_high"] < 0).groupby(mine["data"]).mean()
        return Verdict(ours=float(shares.min()), holds=bool(shares.min() >= least))

    return judge


def head_alone(mode: str, least: float, *, hidden: bool) -> Judge:
    """With the head alone ternary, the share of the AUC above guessing that is hidden from an attacker, or left."""

    def judge(findings: Findings) -> Verdict:
        verdicts = []
        for one in findings.measured.values():
            row = next((row for row in one.rows.values() if row.part == HEAD_ALONE), None)
            before = one.leakage(BASELINE, ONLINE, mode, "auc")
            after = None if row is None else one.leakage(row.spec, ONLINE, mode, "auc")
            if before is None or after is None or not above(before.estimate(findings.study.level), 0.5):
                continue
            drawn = resampled({"before": before, "after": after}, findings.study.resamples, findings.study.seed)
            left = (after.mean - 0.5) / (before.mean - 0.5)
            low, high = limits((drawn["after"] - 0.5) / (drawn["before"] - 0.5), findings.study.level)
            if hidden:
                left, low, high = 1 - left, 1 - high, 1 - low
            verdicts.append(_verdict(Estimate(value=left, low=low, high=high), left >= least, least))
        return _together(verdicts)

    return judge


def more_accurate_than_smaller(findings: Findings) -> Verdict:
    """The smallest gain in accuracy of a ternary network over a float one of the same size."""
    found = [
        (one.utility[row.spec].crossed - one.utility[SMALLER].crossed).estimate(findings.study.level)
        for one, row in published_rows(findings, (TERNARY,))
    ]
    smallest = min(found, key=value_of, default=None)
    return NOT_JUDGED if smallest is None else _verdict(smallest, all(map(above, found)))


def leaks_more_than_smaller(findings: Findings) -> Verdict:
    """The median over the methods of what a ternary network leaks beyond a float one of the same size."""
    verdicts = []
    for one in findings.measured.values():
        gaps = [
            difference(one, (row.spec, ADAPTIVE), (SMALLER, ADAPTIVE))
            for data, row in published_rows(findings, (TERNARY,))
            if data is one
        ]
        found = sorted((gap for gap in gaps if gap is not None), key=value_of)
        if found:
            middle = found[len(found) // 2]
            verdicts.append(_verdict(middle, sum(map(above, found)) >= 2))
    return _together(verdicts)


def ranks(score: str, least: float) -> Judge:
    """Spearman of a score with the strongest attack's security."""

    def judge(findings: Findings) -> Verdict:
        rows = findings.agreement[findings.agreement["score"] == score].dropna(subset=["spearman"])
        if rows.empty:
            return NOT_JUDGED
        worst = rows.nsmallest(1, "spearman").iloc[0]
        found = Estimate(value=float(worst["spearman"]), low=float(worst["low"]), high=float(worst["high"]))
        return _verdict(found, value_of(found) >= least, least)

    return judge


def ranks_as_well(score: str, than: str) -> Judge:
    """The difference of two scores' Spearman; a score that is equal for all quantizers is not judged."""

    def judge(findings: Findings) -> Verdict:
        wide = findings.agreement.pivot(index="data", columns="score", values="spearman")
        differences = (wide[score] - wide[than]).dropna()
        if differences.empty:
            return NOT_JUDGED
        return Verdict(ours=float(differences.min()), holds=bool(differences.min() >= 0))

    return judge


def toy_loses(most: float) -> Judge:
    """AUC of online LiRA with float shadows on mapped scores."""
    return lambda findings: _toy(findings, MAPPED, lambda auc: auc <= most)


def toy_restored(least: float) -> Judge:
    """The smaller of its AUC with mapped shadows and of that with the map inverted."""

    def judge(findings: Findings) -> Verdict:
        both = [_toy(findings, name, lambda auc: auc >= least) for name in (BOTH, INVERTED)]
        return min(both, key=lambda verdict: verdict.ours or 0.0)

    return judge


def _toy(findings: Findings, scores: str, holds: Callable[[float], bool]) -> Verdict:
    rows = findings.toy[(findings.toy["scores"] == scores) & (findings.toy["attack"] == "online")]
    auc = float(rows["auc"].iloc[0])
    return Verdict(ours=auc, holds=holds(auc))


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """Of several data sets: the first that does not hold, or the first."""
    if not verdicts:
        return NOT_JUDGED
    return next((verdict for verdict in verdicts if not verdict.holds), verdicts[0])


def _verdict(estimate: Estimate, holds: bool, threshold: float | None = None) -> Verdict:
    """The estimate with its interval, and, where its own threshold is given, whether that lies outside."""
    low, high = estimate.low, estimate.high
    decided = None if threshold is None or low is None or high is None else not low <= threshold <= high
    return Verdict(ours=estimate.value, low=low, high=high, holds=holds, decided=decided)
