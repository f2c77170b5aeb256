"""What the study found: tidy tables of every figure, and the measurements that verdicts are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.findings.controls import controls
from quantleak.studies.vision.findings.measured import MAIN, Measured
from quantleak.studies.vision.findings.mismatch import gaps
from quantleak.studies.vision.findings.scores import scores
from quantleak.studies.vision.jobs import SMALLER, Ran, Row, Vision

STOPPED = "stopped early"
BINS = 5
"""Of examples, by how often they are found in the originals."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What the study found; every table has a column `data`.

    Attributes:
        study: What was run.
        measured: By name of a data set, its figures for paired comparisons.
        attacks: One row for each quantizer or control, attack, mode and metric: `value` with limits, `spread` over
            targets, a `reason` where the examples do not support it.
        utility: One row for each quantizer or control: `accuracy` with limits, its `spread` over models, `lost` beside
            the original's with limits, effective `bits`, `kilobytes`, `fidelity`.
        gaps: See `quantleak.studies.vision.findings.mismatch`.
        controls: See `quantleak.studies.vision.findings.controls`.
        examples: One row for each quantizer, mode and bin of members, by the share of one half of the originals that
            gives them away: that share (`chosen`), and the share of the other half `before` and `after` quantization.
        calibrated: One row for each quantizer that reads members and each mode: leakage of these apart from others.
        scores: One row for each quantizer with an r_Q.
        agreement: One row for each score: Spearman with the strongest attack's security.
        toy: One row for each attack, and what is mapped: the AUC.
        seconds: By stage, of all processes together.
    """

    study: Vision
    measured: Mapping[str, Measured]
    attacks: pd.DataFrame
    utility: pd.DataFrame
    gaps: pd.DataFrame
    controls: pd.DataFrame
    examples: pd.DataFrame
    calibrated: pd.DataFrame
    scores: pd.DataFrame
    agreement: pd.DataFrame
    toy: pd.DataFrame
    seconds: dict[str, float]


def find(study: Vision, ran: Ran) -> Findings:
    """Compute the findings from what the jobs left."""
    every = {
        name: Measured(
            name=name,
            plan=one.quantized,
            small=one.smaller,
            rows={row.spec: row for row in one.rows},
            trained=ran.trained[name],
            stopped_at=study.stopped_at,
            outputs=ran.attacked[name],
        )
        for name, one in ran.plans.items()
    }
    ranked = [scores(one, study.resamples) for one in every.values()]
    toy = [
        {"data": "toy", "scores": name, "attack": attack, "auc": auc}
        for name, aucs in ran.toy.items()
        for attack, auc in aucs.items()
    ]
    return Findings(
        study=study,
        measured=every,
        attacks=pd.concat([_attacks(one) for one in every.values()], ignore_index=True),
        utility=pd.concat([_utility(one) for one in every.values()], ignore_index=True),
        gaps=pd.concat([gaps(one, study.resamples) for one in every.values()], ignore_index=True),
        controls=pd.concat([controls(one) for one in every.values()], ignore_index=True),
        examples=pd.concat([_examples(one) for one in every.values()], ignore_index=True),
        calibrated=pd.concat([_calibrated(one) for one in every.values()], ignore_index=True),
        scores=pd.concat([table for table, _ in ranked], ignore_index=True),
        agreement=pd.concat([table for _, table in ranked], ignore_index=True),
        toy=pd.DataFrame(toy),
        seconds=ran.seconds,
    )


def _labels(one: Measured, name: str) -> dict[str, Any]:
    """What a row or control is called in every table."""
    row = one.rows.get(name)
    if row is None:
        control = SMALLER if name == SMALLER else STOPPED
        row = Row(spec=name, part=control, method=BASELINE, width="32", option=name)
    named = {"part": row.part, "method": row.method, "width": row.width, "head": row.option}
    return {"data": one.name, "quantizer": name, **named}


def _estimate(estimate: Estimate, name: str = "value") -> dict[str, Any]:
    prefix = "" if name == "value" else f"{name}_"
    found = {name: estimate.value, f"{prefix}low": estimate.low, f"{prefix}high": estimate.high}
    return {key: np.nan if value is None else value for key, value in found.items()}


def _attacks(one: Measured) -> pd.DataFrame:
    rows = [
        {
            **_labels(one, name),
            "attack": figure.attack,
            "mode": figure.mode,
            "metric": figure.metric,
            **_estimate(figure.estimate),
            "spread": np.nan if figure.spread is None else figure.spread,
            "chosen": figure.chosen,
            "reason": figure.estimate.reason or "",
        }
        for name, output in one.outputs.items()
        for figure in output.figures
    ]
    return pd.DataFrame(rows)


def _utility(one: Measured) -> pd.DataFrame:
    fidelity = dict(zip(one.plan.procedures, one.trained.quantized.block.fidelity.mean(0), strict=True))
    rows = []
    for name, metric in one.utility.items():
        accuracy = metric.estimate
        rows.append(
            {
                **_labels(one, name),
                **_estimate(accuracy, MAIN),
                "spread": float(metric.crossed.values.std(ddof=1)),
                **_estimate(one.lost(name), "lost"),
                "bits": one.bits[name],
                "kilobytes": one.kilobytes[name],
                "fidelity": fidelity.get(name, np.nan),
            }
        )
    return pd.DataFrame(rows)


def _examples(one: Measured) -> pd.DataFrame:
    """Members in bins of equal width of the share of targets that give them away in the originals.

    Targets with even numbers put the examples into bins, those with odd numbers are what is shown of a bin: the most
    exposed of one half are a little less exposed in the other, which is no protection.
    """
    rows: list[dict[str, Any]] = []
    halves = list(one.outputs[BASELINE].examples.values())
    for binned, before in halves:
        place = np.minimum((np.nan_to_num(binned) * BINS).astype(int), BINS - 1)
        for name, row in one.rows.items():
            for mode, (_, after) in one.outputs[name].examples.items() if row.whole and name != BASELINE else ():
                for number in range(BINS):
                    inside = (place == number) & ~np.isnan(binned + before)
                    if inside.any():
                        found = {"before": float(before[inside].mean()), "after": float(after[inside].mean())}
                        edges = {"least": number / BINS, "most": (number + 1) / BINS, "examples": int(inside.sum())}
                        chosen = float(binned[inside].mean())
                        rows.append({**_labels(one, name), "mode": mode, **edges, "chosen": chosen, **found})
    return pd.DataFrame(rows)


def _calibrated(one: Measured) -> pd.DataFrame:
    rows = [
        {
            **_labels(one, name),
            "mode": mode,
            **{key: value for each, estimate in found.items() for key, value in _estimate(estimate, each).items()},
        }
        for name, output in one.outputs.items()
        for mode, found in output.calibrated.items()
    ]
    return pd.DataFrame(rows)
