"""RMIA's reported scores against its own ratio, computed by definition from the signals that audits keep.

r(x) = p(x | target) / p(x). Online p(x) is the mean of the mean over IN and the mean over OUT references, offline it is
((1 + a) p_OUT + 1 - a) / 2. Everything is in long double, and of p and 1 - p the smaller one is carried, so that the
order of probabilities next to one is not lost. Source: arXiv 2312.03262.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from quantleak.attacks import RMIA, CannotRecalibrate, leave_one_out, log_probability, recalibrate, rmia, roc
from quantleak.auditing import AuditResult, Settings
from quantleak.auditing.compose import Gathered
from quantleak.auditing.plan import Plan, make_plan
from quantleak.data import Dataset
from quantleak.store import read_arrays, read_json, read_run, write_json
from quantleak.threads import one_thread

CONVENTIONS = {"rmia-online": RMIA(), "rmia-offline": RMIA(mode="offline")}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One quantizer of one audit under one convention and mode.

    Attributes:
        differ: Targets whose ROC curve has another vertex than that of r(x).
        auc: The largest difference of a target's AUC.
        gain: Figure of r(x) less that of the reported scores, over all targets.
        stored: The largest difference between the AUC computed here and the one in the audit's result.
        worst: The strongest attack reported, and its mode.
        figure: Figure of r(x) on the reporting half.
        reported: That of the strongest attack.
        high: The upper limit of the latter.
        others_beat: Attacks and modes whose reported figure on that half lies above it, among all.
        others: How many there are.
    """

    audit: str
    spec: str
    attack: str
    mode: str
    targets: int
    differ: int
    auc: float
    gain: float
    stored: float
    worst: str
    figure: float
    reported: float
    high: float
    others_beat: int
    others: int

    @property
    def beats(self) -> bool:
        return self.figure > self.high


def own_ratio(
    target: np.ndarray, shadows: np.ndarray, member: np.ndarray, *, use: np.ndarray, convention: RMIA
) -> np.ndarray:
    """The rank of ln r(x) among all examples, from log odds, [N]; called by `leave_one_out` as any attack is.

    The rank, because ln r of confident models is often smaller than any float64.
    """
    phi = np.asarray(shadows, dtype=np.longdouble)
    small = 1 / (1 + np.exp(np.abs(phi)))
    p, q = np.where(phi > 0, 1 - small, small), np.where(phi > 0, small, 1 - small)
    means = []
    for probability in (p, q):
        outside = _mean(probability, use & ~member)
        if convention.mode == "online":
            means.append((_mean(probability, use & member) + outside) / 2)
        else:
            means.append((1 + convention.a) / 2 * outside)
    marginal = means[0] + (0 if convention.mode == "online" else (1 - convention.a) / 2)
    reference = np.where(marginal > 0.5, np.log1p(-np.minimum(means[1], 0.5)), np.log(marginal))
    own = np.asarray(target, dtype=np.longdouble)
    likelihood = np.minimum(own, 0) - np.log1p(np.exp(-np.abs(own)))
    return np.unique(likelihood - reference, return_inverse=True)[1].astype(np.float64)


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.asarray((values * chosen).sum(axis=0) / chosen.sum(axis=0))


def check_ratios(audit: str, dataset: Dataset, settings: Settings, result: AuditResult, out: Path) -> list[Check]:
    """All quantizers, conventions and modes of a finished audit; kept beside the audits."""
    kept = out / "ratios" / f"{audit}.json"
    if kept.exists() and (found := read_json(kept))["id"] == result.id:
        return [Check(**values) for values in found["checks"]]
    plan = make_plan(dataset, settings, read_run(out / audit))
    blocks = [read_arrays(path) for path in sorted((out / audit / "jobs").glob("block-*.npz"))]
    with one_thread():
        checks = list(_checks(audit, plan, Gathered.of(blocks).signals, result))
    write_json(kept, {"id": result.id, "checks": [asdict(check) for check in checks]})
    return checks


def _checks(audit: str, plan: Plan, signals: dict[str, np.ndarray], result: AuditResult) -> Iterator[Check]:
    specs = list(plan.settings.quantizers)
    pool, population = (np.moveaxis(signals[part], 1, 0) for part in ("pool", "population"))
    original = pool[0], population[0]
    assert specs[0] == "identity"
    for place, spec in enumerate(specs):
        quantized = pool[place], population[place]
        pairings = {"adaptive": (quantized, quantized)}
        if place:
            pairings["transfer"] = (quantized, original)
            try:
                mapped = [recalibrate(part, quantized[1], original[1]) for part in quantized]
                pairings["recalibrated"] = ((mapped[0], mapped[1]), original)
            except CannotRecalibrate:
                pass
        for mode, (targets, shadows) in pairings.items():
            for name, convention in CONVENTIONS.items():
                ratio = leave_one_out(
                    partial(own_ratio, convention=convention),
                    targets[0],
                    shadows[0],
                    plan.member,
                    seed=plan.settings.seed,
                )
                scores = leave_one_out(
                    partial(rmia, convention=convention),
                    log_probability(targets[0]),
                    log_probability(shadows[0]),
                    plan.member,
                    population_targets=log_probability(targets[1]),
                    population_shadows=log_probability(shadows[1]),
                    seed=plan.settings.seed,
                )
                yield _check((audit, spec, name, mode), ratio, scores, plan.member, result)


def _check(
    key: tuple[str, str, str, str], ratio: np.ndarray, scores: np.ndarray, member: np.ndarray, result: AuditResult
) -> Check:
    audit, spec, name, mode = key
    own = [roc(*pair) for pair in zip(ratio, member, strict=True)]
    reported = [roc(*pair) for pair in zip(scores, member, strict=True)]
    same = [
        np.array_equal(one.true_positives, two.true_positives)
        and np.array_equal(one.false_positives, two.false_positives)
        for one, two in zip(own, reported, strict=True)
    ]
    worst, table = result[spec].worst, result.targets
    assert worst.value is not None
    assert worst.high is not None
    rows = table[table["quantizer"] == spec]
    stored = rows[(rows["attack"] == name) & (rows["mode"] == mode)].sort_values("target")["auc"]
    figures, scored = (
        np.array([one.auc if worst.fpr is None else one.tpr_at_exactly(worst.fpr) for one in curves])
        for curves in (own, reported)
    )
    reporting = rows[rows["target"] % 2 == 1]
    others = reporting.groupby(["attack", "mode"])["auc" if worst.fpr is None else f"tpr@{worst.fpr:g}"].mean()
    return Check(
        audit=audit,
        spec=spec,
        attack=name,
        mode=mode,
        targets=len(own),
        differ=len(same) - sum(same),
        gain=float(figures.mean() - scored.mean()),
        auc=max(abs(one.auc - two.auc) for one, two in zip(own, reported, strict=True)),
        stored=float(max(abs(np.array([one.auc for one in reported]) - stored.to_numpy()))),
        worst=f"{worst.name}, {worst.mode}",
        figure=float(figures[1::2].mean()),
        reported=worst.value,
        high=worst.high,
        others_beat=int((others > worst.high).sum()),
        others=len(others),
    )


def ratio_table(checks: list[Check]) -> list[str]:
    audits: dict[str, list[Check]] = {}
    for check in checks:
        audits.setdefault(check.audit, []).append(check)
    lines = [
        "## RMIA and its own ratio",
        "",
        "From the stored signals of every audit of a classification: the ROC curve of each target under `rmia-online` "
        "and `rmia-offline` against that of r(x) in long double, over all quantizers and modes. Targets whose curves "
        "have another vertex somewhere, and under what; the largest difference of a target's AUC, and of the figure of "
        "the headline over all targets; the largest difference of an AUC to the audit's own result. Curves differ "
        "where float64 ends: ln p is 0 from log odds of 745 on, and ratios may agree in all of its digits.",
        "",
        "| audit | curves | differ | under | in AUC | in the figure | to the result |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for audit, some in audits.items():
        under = dict.fromkeys(f"{check.spec} {check.mode}" for check in some if check.differ)
        lines.append(
            f"| {audit} | {sum(check.targets for check in some)} | {sum(check.differ for check in some)} "
            f"| {', '.join(under)} | {max(check.auc for check in some):.1e} "
            f"| {max(abs(check.gain) for check in some):.4f} | {max(check.stored for check in some):.0e} |"
        )
    lines += [
        "",
        "## Ratios against the strongest attack reported",
        "",
        "On the reporting half: the largest excess of r(x) over the strongest attack reported, and how often it lies "
        "beyond the upper limit of the latter's interval. Last, in how many of all attacks and modes as reported, RMIA "
        "among them, the figure of that half does so; a ratio other than RMIA's is the score itself. What lies beyond "
        "was not chosen on the other half of the targets.",
        "",
        "| audit | largest excess of r(x) | r(x) beyond | any attack beyond |",
        "| --- | ---: | ---: | ---: |",
    ]
    for audit, some in audits.items():
        cells = {check.spec: check for check in some}.values()
        others = f"{sum(cell.others_beat for cell in cells)} of {sum(cell.others for cell in cells)}"
        excess = max(check.figure - check.reported for check in some)
        lines.append(f"| {audit} | {excess:+.3f} | {sum(check.beats for check in some)} of {len(some)} | {others} |")
    beyond = [check for check in checks if check.beats]
    if beyond:
        lines += [
            "",
            "Where r(x) lies beyond the interval of the strongest attack reported:",
            "",
            "| audit | quantizer | r(x) of | figure | reported | figure | upper limit |",
            "| --- | --- | --- | ---: | --- | ---: | ---: |",
        ]
        lines += [
            f"| {check.audit} | {check.spec} | {check.attack}, {check.mode} | {check.figure:.3f} | {check.worst} "
            f"| {check.reported:.3f} | {check.high:.3f} |"
            for check in beyond
        ]
    return lines
