"""Composes the result of an audit from the outputs of its jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from quantleak.auditing import tables
from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.block import BlockOutput
from quantleak.auditing.controls import Controls, calibration_leakage, noise_comparison
from quantleak.auditing.measures.utility import METRIC, Measured, chance, measure, of_members
from quantleak.auditing.plan import Plan
from quantleak.auditing.recommend import Contender, difference, recommend
from quantleak.quantizers import BASELINE
from quantleak.report.verdict import Measures
from quantleak.results import (
    METRIC_NAMES,
    Estimate,
    Exposure,
    QuantizerResult,
    RateSummary,
    Recommendation,
    Utility,
    WorstClass,
    finite,
    finite_estimate,
)
from quantleak.results.records import NONE
from quantleak.theory import combine, confidence_more_private, ranks


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """All of an audit's numbers by quantizer, and the tables; see `AuditResult`."""

    recommended: Recommendation
    quantizers: list[QuantizerResult]
    models: pd.DataFrame
    targets: pd.DataFrame
    roc: pd.DataFrame
    classes: pd.DataFrame
    exposed: pd.DataFrame


def compose(
    plan: Plan,
    gathered: BlockOutput,
    attacked: Mapping[str, AttackOutput],
    member: np.ndarray,
    controls: Controls,
) -> Outcome:
    """Summarise rates, measure utility, compare with the original and recommend.

    Args:
        plan: The audit's plan.
        gathered: What the blocks left.
        attacked: By quantizer, what its :class:`~quantleak.auditing.attacks.AttackJob` left.
        member: True membership of the gathered models, bool `[models, pool]`.
        controls: What controls need beside.
    """
    settings, task = plan.settings, plan.dataset.task
    targets = plan.part("test")[1]
    test_groups = plan.dataset.groups[plan.parts.test]
    utility = {
        spec: measure(gathered.test[:, place], targets, task, test_groups, settings.level)
        for place, spec in enumerate(plan.procedures)
    }
    bits = gathered.bits
    main = METRIC[task]
    guessing = chance(task, targets)
    utilities = {spec: _utility(metrics, main, guessing) for spec, metrics in utility.items()}
    shown = {spec: attacked[spec] for spec in settings.quantizers}
    exposed = tables.exposed(shown, plan.dataset.rows[plan.parts.pool])
    classes = tables.classes(shown, plan.dataset.classes)
    exposures = {spec: _exposure(plan, attacked[spec]) for spec in settings.quantizers}
    worst_classes = {spec: _worst_classes(plan, spec, attacked[spec], classes) for spec in settings.quantizers}
    contenders = {
        spec: Contender(
            spec=spec,
            bits=bits[spec],
            utility=utilities[spec],
            selection_high=1.0 if (high := attacked[spec].selection.high) is None else high,
            figure=attacked[spec].worst,
            worst_class=next((row for row in worst_classes[spec] if row.fpr == attacked[spec].worst.fpr), None),
            exposure=exposures[spec],
            leakage=attacked[spec].leakage,
        )
        for spec in settings.quantizers
    }
    rate, cramer = (_rate_summaries(plan, gathered, name) for name in ("r_q", "cramer"))
    training = of_members(gathered.training, plan.part("pool")[1], member, task)
    measures = Measures(
        metric=METRIC_NAMES[main],
        fpr=attacked[BASELINE].worst.fpr,
        utility_loss=settings.utility_loss,
        level=settings.level,
        risk_limit=settings.risk_limit,
    )
    crossed = {spec: found[main].crossed for spec, found in utility.items()}
    results = [
        QuantizerResult(
            spec=spec,
            effective_bits=bits[spec],
            utility=utilities[spec],
            rate=rate[spec],
            cramer=cramer[spec],
            attacks=attacked[spec].attacks,
            worst=attacked[spec].worst,
            versus_original=_versus(utility, contenders, spec, main, settings.level),
            per_example=attacked[spec].per_example,
            fidelity=_fidelity(gathered.fidelity[:, place]),
            classes=worst_classes[spec],
            unjudged=_unjudged(classes, spec),
            exposure=exposures[spec],
            training=_defined(Estimate(value=training)) if spec == BASELINE else NONE,
            noise=noise_comparison(plan, spec, crossed, attacked, controls),
            calibration=calibration_leakage(plan, attacked[spec], spec, controls),
            is_control=plan.procedures[spec].is_control,
        )
        for place, spec in enumerate(settings.quantizers)
    ]
    return Outcome(
        recommended=recommend(
            {spec: one for spec, one in contenders.items() if not plan.procedures[spec].is_control}, measures
        ),
        quantizers=results,
        models=_models_table(gathered, {spec: utility[spec] for spec in settings.quantizers}),
        targets=_targets_table(shown),
        roc=tables.roc(shown),
        classes=classes,
        exposed=exposed,
    )


def _fidelity(values: np.ndarray) -> Estimate:
    """The mean over models with its t interval; none where the outputs of a model are constant."""
    if not np.isfinite(values).all():
        return Estimate(value=None, reason="the outputs of a model are constant or not finite")
    if len(values) < 3 or np.ptp(values) == 0:
        return Estimate(value=float(values.mean()), reason="models do not differ, or are fewer than 3")
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return Estimate(value=float(values.mean()), low=max(-1.0, float(low)), high=min(1.0, float(high)))


def _worst_classes(plan: Plan, spec: str, output: AttackOutput, classes: pd.DataFrame) -> list[WorstClass]:
    """At every supported false-positive rate the class that the choosing half named, as the other half measures it."""
    found = []
    names = plan.dataset.classes or ()
    for fpr, code in sorted(output.worst_classes.items()):
        here = classes[(classes["quantizer"] == spec) & (classes["fpr"] == fpr) & (classes["class"] == names[code])]
        row = here.iloc[0]
        if not row["supported"]:
            continue
        members, alarms, excess = (
            finite_estimate(*(row[f"{name}{end}"] for end in ("", "_low", "_high")))
            for name in ("found", "alarms", "excess")
        )
        found.append(
            WorstClass(
                value=excess.value,
                low=excess.low,
                high=excess.high,
                name=str(names[code]),
                fpr=fpr,
                found=members,
                alarms=alarms,
            )
        )
    return found


def _unjudged(classes: pd.DataFrame, spec: str) -> list[str]:
    """Names of the classes that are not supported at some rate."""
    few = classes[(classes["quantizer"] == spec) & ~classes["supported"].astype(bool)]
    return [str(name) for name in dict.fromkeys(few["class"])]


def _exposure(plan: Plan, output: AttackOutput) -> Exposure:
    """How many examples of the pool, and groups where the user named some, are exposed beyond chance."""
    if "exposed/position" not in output.tables:
        reason = "no false-positive rate is supported" if output.worst.fpr is None else "there is one target model"
        return Exposure(reason=reason)
    position, found = output.tables["exposed/position"], output.tables["exposed/found"]
    mostly = position[found > 0.5]
    groups = plan.dataset.groups[plan.parts.pool]
    named = plan.dataset.provenance.group is not None
    return Exposure(
        tested=len(groups),
        listed=len(position),
        mostly=len(mostly),
        groups=len(np.unique(groups[position])) if named else None,
        groups_mostly=len(np.unique(groups[mostly])) if named else None,
        models=len(output.reporting),
    )


def _defined(estimate: Estimate) -> Estimate:
    """The estimate; without a finite value, such as R2 of equal targets, the reason."""
    if finite(estimate.value) is None:
        return Estimate(value=None, reason=estimate.reason or "undefined on the test part")
    return Estimate(value=estimate.value, low=finite(estimate.low), high=finite(estimate.high), reason=estimate.reason)


def _utility(metrics: Mapping[str, Measured], main: str, chance: float) -> Utility:
    value = _defined(metrics[main].estimate)
    also = {name: _defined(measured.estimate) for name, measured in metrics.items() if name != main}
    return Utility(
        value=value.value, low=value.low, high=value.high, reason=value.reason, metric=main, also=also, chance=chance
    )


def _versus(
    utility: Mapping[str, Mapping[str, Measured]],
    contenders: Mapping[str, Contender],
    spec: str,
    main: str,
    level: float,
) -> dict[str, Estimate]:
    if spec == BASELINE:
        return {}
    one, two = utility[spec][main].crossed, utility[BASELINE][main].crossed
    return {
        "utility": difference(one, two, level),
        "worst": difference(contenders[spec].leakage, contenders[BASELINE].leakage, level),
    }


def _rate_summaries(plan: Plan, gathered: BlockOutput, name: str) -> dict[str, RateSummary]:
    level = plan.settings.level
    specs = list(gathered.rates)
    table = np.array([[model[name].value for model in gathered.rates[spec]] for spec in specs]).T
    ranked = ranks(table, level) if specs else None
    summaries: dict[str, RateSummary] = {}
    for spec in plan.settings.quantizers:
        if spec not in gathered.rates:
            reason = plan.procedures[spec].no_rate or "no trajectory: the training of these models was not followed"
            summaries[spec] = RateSummary(value=None, reason=reason)
            continue
        summary = combine([model[name] for model in gathered.rates[spec]], level)
        certificate = _certificate(gathered.certificates[spec], plan) if name == "cramer" else {}
        median = finite_estimate(summary.median.value, summary.median.low, summary.median.high, summary.median.reason)
        place = specs.index(spec)
        assert ranked is not None
        summaries[spec] = RateSummary(
            value=median.value,
            low=median.low,
            high=median.high,
            reason=median.reason,
            mean=finite(summary.mean.value),
            resolution=finite(summary.z),
            elements=summary.elements,
            n_validation=summary.n_validation,
            unbounded=summary.unbounded,
            undefined=summary.undefined,
            rank=finite_estimate(ranked.rank[place], ranked.low[place], ranked.high[place]),
            more_private_than=_more_private_than(table, place, specs),
            **certificate,
        )
    return summaries


def _certificate(starts: Sequence[int | None], plan: Plan) -> dict[str, Any]:
    """Where certificates start: the median over models, and how many have one with the members of the fewest."""
    if not starts:
        return {}
    numbers = np.array([math.inf if start is None else start for start in starts])
    certified = int((numbers <= plan.member.sum(1).min()).sum())
    # The upper one of two middle values: what lies between a number and never is never.
    start = finite(float(np.quantile(numbers, 0.5, method="higher")))
    return {"certificate_start": start, "certified": certified, "certificates": len(numbers)}


def _more_private_than(table: np.ndarray, place: int, specs: list[str]) -> dict[str, float]:
    """How sure it is against every other quantizer with which some model has rates in common."""
    others = [other for other in range(len(specs)) if other != place]
    both = {other: ~np.isnan(table[:, [place, other]]).any(1) for other in others}
    return {
        specs[other]: confidence_more_private(table[:, place], table[:, other]) for other in others if both[other].any()
    }


def _models_table(gathered: BlockOutput, utility: Mapping[str, Mapping[str, Measured]]) -> pd.DataFrame:
    """One row for each (model, quantizer)."""
    rows: list[dict[str, Any]] = []
    for spec, metrics in utility.items():
        for model in range(len(next(iter(metrics.values())).crossed.values)):
            row: dict[str, Any] = {"model": model, "quantizer": spec}
            row |= {name: float(measured.crossed.values[model]) for name, measured in metrics.items()}
            if spec in gathered.rates:
                rates = gathered.rates[spec][model]
                row |= {"r_q": rates["r_q"].value, "cramer": rates["cramer"].value}
                row |= {"resolution": rates["r_q"].z, "elements": rates["r_q"].elements}
            rows.append(row)
    return pd.DataFrame(rows)


def _targets_table(attacked: Mapping[str, AttackOutput]) -> pd.DataFrame:
    """One row for each (target model, quantizer, attack, mode)."""
    frames = []
    for spec, output in attacked.items():
        for attack in (row for row in output.attacks if row.via is None):
            prefix = f"{attack.name}/{attack.mode}/"
            columns = {k.removeprefix(prefix): values for k, values in output.columns.items() if k.startswith(prefix)}
            frame = pd.DataFrame(columns)
            frame.insert(0, "target", np.arange(len(frame)))
            reports = np.isin(frame["target"], output.reporting)
            frame.insert(1, "half", np.where(reports, "reporting", "choosing"))
            for place, (name, value) in enumerate(
                (("quantizer", spec), ("attack", attack.name), ("mode", attack.mode))
            ):
                frame.insert(place, name, value)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)
