"""What a study would cost, from a few short probes on this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from quantleak.engines import Job
from quantleak.studies.common import Price
from quantleak.studies.synthetic.jobs import Synthetic
from quantleak.studies.synthetic.jobs.balanced import BalancedJob
from quantleak.studies.synthetic.jobs.baseline import BaselineJob
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED, FreshJob
from quantleak.studies.synthetic.jobs.fresh_attacks import FreshAttackJob
from quantleak.studies.synthetic.jobs.large import LargeJob
from quantleak.studies.synthetic.jobs.perceptron import PerceptronJob
from quantleak.studies.synthetic.jobs.settings import Distribution
from quantleak.threads import one_thread

PROBE_EPOCHS = 400
PROBE_MODELS = 20
PROBE_BALANCED = 16
_BYTES_A_MODEL = 6_000
"""Kept of each model: its weights and its scores."""


def price(study: Synthetic, workers: int) -> Price:
    """Estimate the cost; takes up to a minute.

    Args:
        study: What would be run.
        workers: Processes that would share it.
    """
    distributions = len(study.distributions)
    with one_thread():
        alone = _seconds(study, study.distributions[len(study.distributions) // 2])
    blocks = -(-study.models // study.block)
    further = (study.draws - 1) * -(-study.draw_models // study.block)
    count = {
        "train and follow": blocks,
        "further draws": further,
        "attack": 1,
        "follow N": int(study.large_models > 0),
        "balanced fleets": int(study.balanced),
        "perceptrons": len(study.of_perceptrons) / distributions,
        "discriminators": len(QUANTIZED) * study.discriminators,
    }
    models = study.models + study.draw_models * (study.draws - 1) + study.balanced_models * study.balanced
    return Price(
        trainings=distributions * (models + study.large_models),
        seconds={stage: distributions * n * alone.get(stage, 0.0) / workers for stage, n in count.items()},
        megabytes=distributions * models * _BYTES_A_MODEL / 1e6,
    )


def _seconds(study: Synthetic, distribution: Distribution) -> dict[str, float]:
    """Of one job of each stage, on one processor."""
    block = tuple(study.searched_models + number for number in range(min(study.block, study.models)))
    _timed(FreshJob(replace(study, epochs=2), distribution, block[:2]))  # the training loop is compiled or loaded
    follow, trained = (_slope(study, distribution, block, follow) for follow in (True, False))
    few = np.random.default_rng(0).standard_normal((PROBE_MODELS, 2 * study.dimension)).astype(np.float32)
    found = {"train and follow": follow, "further draws": trained}
    found["attack"] = (
        _timed(FreshAttackJob(study, distribution), {distribution.name: few}) * study.models / PROBE_MODELS
    )
    if study.large_models:
        found["follow N"] = _following(study, distribution) + trained * study.large_models / len(block)
    if study.balanced:
        fewer = min(PROBE_BALANCED, study.balanced_models)
        short = replace(study, balanced_models=fewer, epochs=min(2, study.epochs))
        # Every model is a target and a shadow of every other: between linear and quadratic.
        attacks = _timed(BalancedJob(short, distribution)) * (study.balanced_models / fewer) ** 1.5
        found["balanced fleets"] = attacks + trained * study.balanced_models / len(block)
    if study.of_perceptrons:
        found["perceptrons"] = _perceptrons(study, study.of_perceptrons[0])
    if study.discriminators:
        found["discriminators"] = _judging(study, distribution)
    return found


def _judging(study: Synthetic, distribution: Distribution) -> float:
    """Of one quantizer's discriminators, at every number of models: most of a small one is the same for a large one."""
    sizes = (PROBE_MODELS, 4 * PROBE_MODELS)
    random = np.random.default_rng(0)
    flats = [random.standard_normal((models, 2 * study.dimension)).astype(np.float32) for models in sizes]
    one, two = (
        _timed(BaselineJob(study, distribution, "uniform:3", len(flat)), {distribution.name: flat}) for flat in flats
    )
    each = max(0.0, two - one) / (sizes[1] - sizes[0])
    return sum(one + each * max(0, models - sizes[0]) for models in (study.models, *study.baseline_sizes))


def _perceptrons(study: Synthetic, distribution: Distribution) -> float:
    """Of one distribution's perceptrons: attacks, and every element of those followed on every example."""
    few = max(300, study.large_validation // 20)
    short = replace(
        study, perceptron_models=PROBE_BALANCED, perceptron_epochs=2, perceptron_followed=1, large_validation=few
    )
    longer = replace(short, perceptron_epochs=12)
    one, two = (_timed(PerceptronJob(each, distribution)) for each in (short, longer))
    each = max(0.0, two - one) / 10 * study.large_validation / few
    followed = min(study.perceptron_followed, study.perceptron_models)
    attacks = one * float((study.perceptron_models / PROBE_BALANCED) ** 1.5)
    return attacks + each * study.perceptron_epochs * followed


def _following(study: Synthetic, distribution: Distribution) -> float:
    """Of the large validation set, from two small ones: every element is evaluated on every example."""
    few, more = (max(300, study.large_validation // part) for part in (10, 5))
    epochs = min(study.epochs, PROBE_EPOCHS)
    short = replace(study, large_models=1, epochs=epochs)
    one, two = (_timed(LargeJob(replace(short, large_validation=n), distribution)) for n in (few, more))
    growth = float(np.sqrt(study.epochs / epochs))  # of the elements: measured 150 after 400 epochs, 378 after 3,000
    return study.large_models * growth * study.large_validation * max(0.0, two - one) / max(1, more - few)


def _slope(study: Synthetic, distribution: Distribution, block: tuple[int, ...], follow: bool) -> float:
    """Of a block at all epochs, from two short ones."""
    epochs = [min(study.epochs, n * PROBE_EPOCHS) for n in (1, 2)]
    one, two = (_timed(FreshJob(replace(study, epochs=n), distribution, block, follow=follow)) for n in epochs)
    if epochs[0] == epochs[1]:
        return two
    return one + (study.epochs - epochs[0]) * max(0.0, two - one) / (epochs[1] - epochs[0])


def _timed(job: Job, shared: Any = None) -> float:
    start = time.perf_counter()
    job(shared)
    return time.perf_counter() - start
