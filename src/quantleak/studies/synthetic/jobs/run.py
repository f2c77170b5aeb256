"""Runs the whole study and makes its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from quantleak.engines import Job, Results, Runner
from quantleak.quantizers import PAPER_A
from quantleak.studies.synthetic.jobs.balanced import BalancedJob
from quantleak.studies.synthetic.jobs.baseline import BaselineJob
from quantleak.studies.synthetic.jobs.exact import ExactJob, frames
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED, FreshJob
from quantleak.studies.synthetic.jobs.fresh_attacks import FreshAttackJob
from quantleak.studies.synthetic.jobs.large import LargeJob
from quantleak.studies.synthetic.jobs.perceptron import PerceptronJob
from quantleak.studies.synthetic.jobs.settings import Distribution, Synthetic

CELL = ["k_modes", "sigma"]
"""Columns of every table that name the distribution."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tables:
    """Every figure of the study, tidy.

    Attributes:
        models: One row for each (distribution, model, quantizer): accuracy, gap, entropy, and every score.
        attacks: One row for each (distribution, quantizer, fleet, attack, model): the balanced accuracy.
        baseline: One row for each (distribution, quantizer, number of models, test model): its
            accuracy and the LOSS attack's on the same model; empty without discriminators.
        accuracy: One row for each (distribution, draw of the centres, quantizer): the mean test accuracy.
        large: One row for each (distribution, model, quantizer, N): r_Q and its resolution.
        perceptron: Of the perceptrons `rates` (one row for each distribution, model, quantizer and N: r_q, cramer and
            z), `scores` (one row for each distribution, quantizer and score: the mean over models) and `attacks` (as
            above); empty where they were left out.
        exact: The ground truth: `problems`, `quantizers` and `ranking`, see `quantleak.studies.synthetic.jobs.exact`.
        seconds: By stage, seconds spent by all processes together.
    """

    models: pd.DataFrame
    attacks: pd.DataFrame
    baseline: pd.DataFrame
    accuracy: pd.DataFrame
    large: pd.DataFrame
    perceptron: dict[str, pd.DataFrame]
    exact: dict[str, pd.DataFrame]
    seconds: dict[str, float]


def run_jobs(study: Synthetic, runner: Runner) -> Tables:
    """Run the jobs that are not done yet and gather all of them."""
    left = runner.together(_independent_jobs(study))
    fresh, further, large = left["train and follow"], left["further draws"], left["follow N"]
    balanced, exact = left["balanced fleets"], left["exact ground truth"]
    flat = {d.name: _joined(fresh, d, "flat") for d in study.distributions}
    left |= runner.together(
        {
            "discriminators": _baseline_jobs(study) if study.discriminators else {},
            "attack": {_key(d, "attacks"): FreshAttackJob(study, d) for d in study.distributions},
        },
        flat,
    )
    attacks, baseline = left["attack"], left["discriminators"]
    return Tables(
        models=pd.concat([_models(study, fresh, d) for d in study.distributions], ignore_index=True),
        attacks=pd.concat(_attacks(study, attacks, balanced), ignore_index=True),
        baseline=_baseline(study, baseline) if study.discriminators else pd.DataFrame(),
        accuracy=_accuracy(study, fresh, further),
        large=pd.concat([_large(large, d) for d in study.distributions if study.large_models] or [pd.DataFrame()]),
        perceptron=_perceptron(study, left["perceptrons"]),
        exact=frames(exact["exact"][1]) if study.exact else {},
        seconds={stage: sum(meta["seconds"] for _, meta in jobs.values()) for stage, jobs in left.items()},
    )


def _independent_jobs(study: Synthetic) -> dict[str, Mapping[str, Job]]:
    """By stage, the longest first: all that needs no result of another."""
    return {
        "train and follow": _fresh_jobs(study, 0, study.models),
        "follow N": {_key(d, "large"): LargeJob(study, d) for d in study.distributions if study.large_models},
        "perceptrons": {_key(d, "perceptron"): PerceptronJob(study, d) for d in study.of_perceptrons},
        "balanced fleets": {_key(d, "balanced"): BalancedJob(study, d) for d in study.distributions if study.balanced},
        "exact ground truth": {"exact": ExactJob()} if study.exact else {},
        "further draws": _further_jobs(study),
    }


def _key(distribution: Distribution, what: str) -> str:
    return f"{distribution.name}-{what}"


def _blocks(study: Synthetic, models: int) -> list[tuple[int, ...]]:
    numbers = range(models)
    return [tuple(numbers[start : start + study.block]) for start in numbers[:: study.block]]


def _fresh_jobs(study: Synthetic, draw: int, models: int) -> dict[str, FreshJob]:
    return {
        _key(d, f"fresh-{block[0]:04}"): FreshJob(study, d, block, follow=draw == 0)
        for modes_sigma in study.distributions
        for d in [study.distribution(modes_sigma.modes, modes_sigma.sigma, draw)]
        for block in _blocks(study, models)
    }


def _further_jobs(study: Synthetic) -> dict[str, FreshJob]:
    jobs = [_fresh_jobs(study, draw, study.draw_models) for draw in range(1, study.draws)]
    return {key: job for some in jobs for key, job in some.items()}


def _baseline_jobs(study: Synthetic) -> dict[str, BaselineJob]:
    return {
        _baseline_key(d, place, models): BaselineJob(study, d, spec, models)
        for models in (study.models, *study.baseline_sizes)
        for d in study.distributions
        for place, spec in enumerate(QUANTIZED)
    }


def _baseline_key(distribution: Distribution, place: int, models: int) -> str:
    return _key(distribution, f"baseline-{models}-{place}")


def _joined(left: Results, distribution: Distribution, name: str) -> np.ndarray:
    """One array of all blocks of a distribution, models in order."""
    parts = [arrays[name] for key, (arrays, _) in left.items() if key.startswith(_key(distribution, "fresh"))]
    return np.concatenate(parts)


def _labels(distribution: Distribution) -> dict[str, Any]:
    return dict(zip(CELL, (distribution.modes, distribution.sigma), strict=True))


def _models(study: Synthetic, fresh: Results, distribution: Distribution) -> pd.DataFrame:
    any_block = next(iter(fresh.values()))[0]
    columns = {name: _joined(fresh, distribution, name) for name in any_block if name != "flat"}
    index = pd.MultiIndex.from_product([range(study.models), PAPER_A], names=["model", "quantizer"])
    frame = pd.DataFrame(index=index)
    for name, values in columns.items():
        unquantized = np.full((study.models, 1), np.nan)
        whole = values if values.shape[1] == len(PAPER_A) else np.concatenate([values, unquantized], axis=1)
        frame[name.removeprefix("score/")] = whole.ravel()
    return frame.reset_index().assign(**_labels(distribution))


def _attacks(study: Synthetic, fresh: Results, balanced: Results) -> list[pd.DataFrame]:
    frames: list[pd.DataFrame] = []
    for d in study.distributions:
        for name, values in fresh[_key(d, "attacks")][0].items():
            frames += [_attack(d, spec, "fresh", name, values[:, place]) for place, spec in enumerate(PAPER_A)]
        for key, values in balanced.get(_key(d, "balanced"), ({}, None))[0].items():
            spec, _, name = key.partition("|")
            frames.append(_attack(d, spec, "balanced", name, values))
    return frames


def _baseline(study: Synthetic, left: Results) -> pd.DataFrame:
    frames = [pd.DataFrame(columns=["quantizer", "models", "model", "accuracy", "loss_accuracy", "k_modes", "sigma"])]
    for models in (study.models, *study.baseline_sizes):
        for d in study.distributions:
            for place, spec in enumerate(QUANTIZED):
                arrays = left[_baseline_key(d, place, models)][0]
                columns = {name: arrays[name] for name in ("accuracy", "loss_accuracy")}
                named = {"quantizer": spec, "models": models, "model": arrays["models"], **columns}
                frames.append(pd.DataFrame(named).assign(**_labels(d)))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def _attack(distribution: Distribution, spec: str, fleet: str, name: str, accuracy: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {"quantizer": spec, "fleet": fleet, "attack": name, "model": range(len(accuracy)), "accuracy": accuracy}
    ).assign(**_labels(distribution))


def _accuracy(study: Synthetic, fresh: Results, further: Results) -> pd.DataFrame:
    frames = []
    for draw in range(study.draws):
        for one in study.distributions:
            d = study.distribution(one.modes, one.sigma, draw)
            means = _joined(further if draw else fresh, d, "accuracy").mean(0)
            frames.append(pd.DataFrame({"quantizer": PAPER_A, "accuracy": means, "draw": draw}).assign(**_labels(d)))
    return pd.concat(frames, ignore_index=True)


def _perceptron(study: Synthetic, left: Results) -> dict[str, pd.DataFrame]:
    """The tables of the perceptrons; empty where they were left out."""
    rates, scores, attacks = [], [], []
    for d in study.of_perceptrons:
        arrays = left[_key(d, "perceptron")][0]
        rates.append(_by_size(arrays, ("r_q", "cramer", "z")).assign(**_labels(d)))
        for name in ("fidelity", "true_negatives", "elements"):
            values = {"quantizer": QUANTIZED, "score": name, "value": arrays[name].mean(0)}
            scores.append(pd.DataFrame(values).assign(**_labels(d)))
        for key, values in arrays.items():
            if key.startswith("attack/"):
                spec, _, name = key.removeprefix("attack/").partition("|")
                attacks.append(_attack(d, spec, "perceptrons", name, values))
    named = {"rates": rates, "scores": scores, "attacks": attacks}
    return {name: pd.concat(frames, ignore_index=True) for name, frames in named.items() if frames}


def _large(left: Results, distribution: Distribution) -> pd.DataFrame:
    return _by_size(left[_key(distribution, "large")][0], ("r_q", "z")).assign(**_labels(distribution))


def _by_size(arrays: Mapping[str, np.ndarray], names: tuple[str, ...]) -> pd.DataFrame:
    """One row for each model, quantizer and N, of arrays `[models, 8, sizes]`."""
    models = len(arrays[names[0]])
    index = pd.MultiIndex.from_product(
        [range(models), QUANTIZED, arrays["sizes"]], names=["model", "quantizer", "n_validation"]
    )
    return pd.DataFrame({name: arrays[name].ravel() for name in names}, index=index).reset_index()
