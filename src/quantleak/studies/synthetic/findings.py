"""What the tables say: the strongest attack on every quantizer, and how every score ranks beside it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from quantleak.models import network
from quantleak.ptq.modules.layout import Layout
from quantleak.quantizers import BASELINE, quantizer
from quantleak.studies.common.ranking import SUMMARIES, Floats, Stability, resampled, spearman, stability
from quantleak.studies.common.strongest import Strongest, strongest
from quantleak.studies.synthetic.jobs import CELL, Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.perceptrons import perceptrons

PAPER = "mean r_q"
"""The paper's estimator."""

PROPOSED = "minus fidelity"
"""Ours: chosen on another seed (777) than any that the study reports."""

COUNT = "minus elements"

Key = tuple[Hashable, ...]
"""Modes and sigma of a distribution, as pandas groups by them."""

SMALLEST = 1e-12
"""Scores below it count as this on a log scale."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A way to rank quantizers.

    Attributes:
        name: What tables call it.
        column: Of the table of models.
        sign: -1 where less means more private.
        summary: How models are averaged.
        kind: `estimator` of the privacy rate, or a free `control`.
    """

    name: str
    column: str
    sign: float = 1.0
    summary: str = "mean"
    kind: str = "estimator"

    def values(self, wide: pd.DataFrame) -> Floats:
        """`[models, 8]` of one distribution's rows by model, its columns by (column, quantizer)."""
        return np.asarray(self.sign * wide[self.column][list(QUANTIZED)].dropna(how="all").to_numpy())

    def summarise(self, values: Floats, axis: int) -> Floats:
        """Over models, larger = more private."""
        return SUMMARIES[self.summary](values, axis)


SCORES = (
    Score(name=PAPER, column="r_q"),
    Score(name="median r_q", column="r_q", summary="median"),
    Score(name="trimmed r_q", column="r_q", summary="trimmed"),
    Score(name="geometric r_q", column="r_q", summary="geometric"),
    Score(name="mean cramer", column="cramer"),
    Score(name="median cramer", column="cramer", summary="median"),
    Score(name="mean finite, n", column="finite"),
    Score(name="mean finite, n/4", column="finite_4"),
    Score(name="mean finite, 16n", column="finite_16"),
    Score(name="mean tenth competitor", column="tenth"),
    Score(name="geometric tenth competitor", column="tenth", summary="geometric"),
    Score(name="mean harmonic", column="harmonic"),
    Score(name="mean cross-fitted", column="crossfit"),
    Score(name="mean searched", column="searched"),
    Score(name="geometric searched", column="searched", summary="geometric"),
    Score(name="mean r_q per squared count", column="per_count"),
    Score(name="log r_q less four entropies", column="coded"),
    Score(name=PROPOSED, column="fidelity", sign=-1.0),
    Score(name="r_q of random elements, equal counts", column="equal_random", kind="equal"),
    Score(name="r_q of the last elements, equal counts", column="equal_last", kind="equal"),
    Score(name="r_q of the best elements, equal counts", column="equal_best", kind="equal"),
    Score(name=COUNT, column="elements", sign=-1.0, kind="control"),
    Score(name="minus effective bits", column="bits", sign=-1.0, kind="control"),
    Score(name="minus entropy of the codes", column="entropy", sign=-1.0, kind="control"),
    Score(name="minus accuracy", column="accuracy", sign=-1.0, kind="control"),
    Score(name="minus loss gap", column="gap", sign=-1.0, kind="control"),
    Score(name="minus accuracy gap", column="accuracy_gap", sign=-1.0, kind="control"),
)
"""Everything that was tried."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """What the study found.

    Attributes:
        study: What was run.
        tables: What came of it, which all below is computed from.
        mis: One row for each (distribution, quantizer, attack): the MIS bound; `strongest` among them, with its
            interval and what it chose.
        agreement: One row for each (distribution, score): Spearman with the strongest attack's MIS over the eight
            quantizers, with its interval over models.
        overall: One row a score: the mean over distributions, with its interval.
        stability: One row for each (distribution, score, number of models): mean Spearman with the ranking of all.
        needed: One row for each (distribution, score): models from which that stays at 0.95.
        drawn: By score, the mean over distributions in every resample of the models.
        perceptron: Of perceptrons, one row for each (distribution, score, N where it has one): Spearman with the
            strongest attack's MIS; and the same MIS, one row for each (distribution, quantizer); see
            `quantleak.studies.synthetic.perceptrons`.
    """

    study: Synthetic
    tables: Tables
    mis: pd.DataFrame
    agreement: pd.DataFrame
    overall: pd.DataFrame
    stability: pd.DataFrame
    needed: pd.DataFrame
    drawn: dict[str, Floats]
    perceptron: dict[str, pd.DataFrame]

    def difference(self, name: str, than: str) -> tuple[float, float]:
        """95% interval of the difference of two scores' mean Spearman, paired by resample."""
        low, high = np.nanquantile(self.drawn[name] - self.drawn[than], [0.025, 0.975])
        return float(low), float(high)


def find(study: Synthetic, tables: Tables) -> Findings:
    """Compute the findings of a study from its tables alone."""
    models = tables.models.assign(
        bits=tables.models["quantizer"].map(_bits(study)),
        per_count=tables.models["r_q"] / tables.models["elements"] ** 2,
        coded=np.log(tables.models["r_q"].clip(lower=SMALLEST)) - 4 * tables.models["entropy"],
    )
    quantized = models[models["quantizer"] != BASELINE]
    groups = {
        key: frame.pivot(index="model", columns="quantizer") for key, frame in quantized.groupby(CELL, sort=False)
    }
    best = {key: _strongest(frame, study) for key, frame in _judged(study, tables).groupby(CELL, sort=False)}
    agreement, overall, drawn = _agreement(study, groups, best)
    curves = [
        (key, score, stability(score.values(frame), score.summarise))
        for key, frame in groups.items()
        for score in SCORES
    ]
    return Findings(
        study=study,
        tables=tables,
        mis=pd.concat([_mis(key, found) for key, found in best.items()], ignore_index=True),
        agreement=agreement,
        overall=overall,
        drawn=drawn,
        perceptron=perceptrons(study, tables.perceptron) if tables.perceptron else {},
        stability=pd.concat([_curve(key, score, curve) for key, score, curve in curves], ignore_index=True),
        needed=pd.DataFrame(
            [
                {**_cell(key), "score": score.name, "models": curve.needed(), "of": curve.sizes[-1]}
                for key, score, curve in curves
            ]
        ),
    )


def _bits(study: Synthetic) -> dict[str, float]:
    shape = Layout.of(network("linear?bias=false", (2 * study.dimension,), 1).module(seed=0)).slots[0].shape
    return {spec: quantizer(spec).effective_bits(shape) for spec in QUANTIZED} | {BASELINE: 32.0}


def _cell(key: Key) -> dict[str, Any]:
    return dict(zip(CELL, key, strict=True))


def _judged(study: Synthetic, tables: Tables) -> pd.DataFrame:
    """The attacks' accuracies, the discriminators of all models among them."""
    if tables.baseline.empty:
        return tables.attacks
    whole = tables.baseline[tables.baseline["models"] == study.models]
    columns = [*CELL, "quantizer", "model", "accuracy"]
    return pd.concat([tables.attacks, whole[columns].assign(fleet="fresh", attack="discriminator")], ignore_index=True)


def _strongest(frame: pd.DataFrame, study: Synthetic) -> dict[str, Strongest]:
    found: dict[str, Strongest] = {}
    for spec, rows in frame.groupby("quantizer", sort=False):
        accuracies = {
            f"{fleet}: {attack}": part.sort_values("model")["accuracy"].to_numpy()
            for (fleet, attack), part in rows.groupby(["fleet", "attack"], sort=False)
        }
        found[str(spec)] = strongest(accuracies, study.resamples, seed=study.seed)
    return found


def _mis(key: Key, found: dict[str, Strongest]) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for spec, best in found.items():
        low, high = np.quantile(best.resampled, [0.025, 0.975])
        chosen = " / ".join(dict.fromkeys(best.chosen))
        rows.append(
            {"attack": "strongest", "quantizer": spec, "mis": best.value, "low": low, "high": high, "chosen": chosen}
        )
        rows += [
            {"attack": name, "quantizer": spec, "mis": min(1.0, 2 * (1 - value))} for name, value in best.each.items()
        ]
    return pd.DataFrame(rows).assign(**_cell(key))


def _agreement(
    study: Synthetic, groups: dict[Key, pd.DataFrame], best: dict[Key, dict[str, Strongest]]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Floats]]:
    rows, overall, means = [], [], {}
    for score in SCORES:
        values, drawn = [], []
        for key, frame in groups.items():
            mine = score.values(frame)
            mis = np.array([best[key][spec].value for spec in QUANTIZED])
            again = np.stack([best[key][spec].resampled for spec in QUANTIZED], axis=1)  # [resamples, 8]
            values.append(float(spearman(score.summarise(mine, 0), mis)))
            drawn.append(spearman(resampled(mine, score.summarise, study.resamples, study.seed), again))
            low, high = np.nanquantile(drawn[-1], [0.025, 0.975])
            rows.append(
                {
                    **_cell(key),
                    "score": score.name,
                    "kind": score.kind,
                    "spearman": values[-1],
                    "low": low,
                    "high": high,
                }
            )
        means[score.name] = np.mean(drawn, axis=0)
        low, high = np.nanquantile(means[score.name], [0.025, 0.975])
        overall.append(
            {"score": score.name, "kind": score.kind, "spearman": float(np.mean(values)), "low": low, "high": high}
        )
    return pd.DataFrame(rows), pd.DataFrame(overall), means


def _curve(key: Key, score: Score, curve: Stability) -> pd.DataFrame:
    low, high = np.nanquantile(curve.correlation, [0.05, 0.95], axis=1)
    return pd.DataFrame(
        {"score": score.name, "models": curve.sizes, "spearman": curve.correlation.mean(1), "low": low, "high": high}
    ).assign(**_cell(key))
