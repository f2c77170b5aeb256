"""A study that nobody ran: tables of the right shape whose numbers are made up, so that figures need no training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from quantleak.quantizers import PAPER_A
from quantleak.studies.common import Figure
from quantleak.studies.synthetic import Findings, Synthetic, Tables, find
from quantleak.studies.synthetic.figures import figures

EIGHT = PAPER_A[:-1]
PRIVACY = dict(zip(PAPER_A, (5.0, 5.5, 6.5, 8.0, 4.0, 3.0, 2.0, 1.0, 0.0), strict=True))
"""The order that all made-up numbers follow, most private = 8."""

HEAVY_TAILED = ("r_q", "cramer", "tenth", "harmonic", "searched", "equal_random", "equal_last", "equal_best")
OTHERS = ("finite", "finite_4", "finite_16", "crossfit", "gap", "accuracy_gap")


def made_up(study: Synthetic, baseline: bool = True) -> Tables:
    random = np.random.default_rng(7)
    cells = [{"k_modes": d.modes, "sigma": d.sigma} for d in study.distributions]
    return Tables(
        models=pd.concat([_models(study, random).assign(**cell) for cell in cells], ignore_index=True),
        attacks=pd.concat([_attacks(study, random).assign(**cell) for cell in cells], ignore_index=True),
        baseline=pd.concat([_baseline(study, random).assign(**cell) for cell in cells], ignore_index=True)
        if baseline
        else pd.DataFrame(),
        accuracy=pd.concat([_accuracy(study, random).assign(**cell) for cell in cells], ignore_index=True),
        large=pd.concat([_large(study, random).assign(**cell) for cell in cells], ignore_index=True),
        perceptron=_perceptron(study, random),
        exact=_exact(random),
        seconds={"train and follow": 400.0, "attack": 60.5, "discriminators": 2000.0 if baseline else 0.0},
    )


def _perceptron(study: Synthetic, random: np.random.Generator) -> dict[str, pd.DataFrame]:
    index = pd.MultiIndex.from_product([range(2), EIGHT, (300, 1000)], names=["model", "quantizer", "n_validation"])
    rates = {name: random.lognormal(size=len(index)) for name in ("r_q", "cramer", "z")}
    scores = pd.MultiIndex.from_product(
        [("fidelity", "true_negatives", "elements"), EIGHT], names=["score", "quantizer"]
    )
    attacks = _grid(4, PAPER_A).assign(fleet="perceptrons", attack="loss/none")
    made = {
        "rates": pd.DataFrame(rates, index=index).reset_index(),
        "scores": pd.DataFrame({"value": random.random(len(scores))}, index=scores).reset_index(),
        "attacks": attacks.assign(accuracy=0.5 + 0.4 * random.random(len(attacks))),
    }
    cells = [{"k_modes": d.modes, "sigma": d.sigma} for d in study.of_perceptrons]
    return {
        name: pd.concat([frame.assign(**cell) for cell in cells], ignore_index=True) for name, frame in made.items()
    }


def _grid(models: int, specs: tuple[str, ...]) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([range(models), specs], names=["model", "quantizer"])
    return index.to_frame(index=False)


def _models(study: Synthetic, random: np.random.Generator) -> pd.DataFrame:
    frame = _grid(study.models, PAPER_A)
    level = frame["quantizer"].map(PRIVACY).to_numpy(float)
    original = (frame["quantizer"] == "identity").to_numpy()

    def noise() -> np.ndarray:
        return random.normal(size=len(frame))

    for name in HEAVY_TAILED:
        frame[name] = np.where(original, np.nan, np.exp(level / 3 - 9 + 1.2 * noise()))
    for name in OTHERS:
        frame[name] = np.where(original, np.nan, 0.01 * level + 0.05 * noise())
    frame["searched"] = frame["searched"].where(frame["model"] < study.searched_models)
    frame["z"] = np.sqrt(2 * study.validation * frame["r_q"])
    frame["elements"] = np.where(original, np.nan, np.round(2500 / (1 + level) + 20 * np.abs(noise())))
    frame["closest"] = np.where(original, np.nan, 2 + random.integers(0, 4, len(frame)))
    frame["fidelity"] = np.where(original, 1.0, 1 - 0.02 * level + 0.004 * noise())
    frame["entropy"] = np.where(original, 8.0, 5 - level / 2 + 0.02 * noise())
    frame["accuracy"] = 0.95 - 0.02 * level + 0.01 * noise()
    return frame


def _attacks(study: Synthetic, random: np.random.Generator) -> pd.DataFrame:
    parts = []
    for fleet, models, names in (
        ("fresh", study.models, ("loss", "lira-offline")),
        ("balanced", study.balanced_models, ("loss/none", "lira-online/adaptive")),
    ):
        for gain, name in enumerate(names):
            frame = _grid(models, PAPER_A).assign(fleet=fleet, attack=name)
            level = frame["quantizer"].map(PRIVACY).astype(float)
            frame["accuracy"] = 0.75 + 0.02 * gain - 0.025 * level + 0.04 * random.normal(size=len(frame))
            parts.append(frame)
    return pd.concat(parts)


def _baseline(study: Synthetic, random: np.random.Generator) -> pd.DataFrame:
    parts = []
    for models in (study.models, *study.baseline_sizes):
        frame = _grid(max(2, models // 5), EIGHT).assign(models=models)
        level = frame["quantizer"].map(PRIVACY).astype(float)
        frame["accuracy"] = 0.72 - 0.025 * level + 0.2 * random.normal(size=len(frame)) / np.sqrt(models)
        parts.append(frame.assign(loss_accuracy=frame["accuracy"] + 0.002))
    return pd.concat(parts)


def _accuracy(study: Synthetic, random: np.random.Generator) -> pd.DataFrame:
    frame = _grid(study.draws, PAPER_A).rename(columns={"model": "draw"})
    shift = 0.01 * random.normal(size=study.draws)[frame["draw"]]
    return frame.assign(accuracy=0.95 - 0.02 * frame["quantizer"].map(PRIVACY) + shift)


def _large(study: Synthetic, random: np.random.Generator) -> pd.DataFrame:
    parts = []
    for size in (300, 1000, 3000, 10_000):
        frame = _grid(study.large_models, EIGHT).assign(n_validation=size)
        frame["r_q"] = (
            np.exp(frame["quantizer"].map(PRIVACY).astype(float) / 3 - 9 + random.normal(size=len(frame))) + 0.3 / size
        )
        parts.append(frame.assign(z=np.sqrt(2 * size * frame["r_q"])))
    return pd.concat(parts)


def _exact(random: np.random.Generator) -> dict[str, pd.DataFrame]:
    names = ("coin", "four competitors", "tie", "rare win", "rare loss", "close call")
    problems = pd.DataFrame([{"problem": name, "n": n} for name in names for n in (5, 10, 20, 40)])
    rate = {name: 0.05 * place for place, name in enumerate(names)}
    leak = np.exp(-problems["n"] * (problems["problem"].map(rate) + 0.5 / np.sqrt(problems["n"])))
    problems = problems.assign(
        mis=1 - leak, low=1 - leak, high=1 - leak, leak=leak, exponent=-np.log(leak) / problems["n"], certificate=0.0
    )
    problems["slope"] = problems["exponent"].where(problems["n"] < 40)
    problems["cramer"] = problems["problem"].map(rate)
    problems["r_q"] = 1.1 * problems["cramer"]
    problems["loss_bound"] = problems["mis"]
    ranking = pd.DataFrame(
        [
            {"n": n, "truth": truth, "score": score, "spearman": at, "low": at - 0.1, "high": at + 0.05}
            for n in (10, 100, 400)
            for truth in ("leak", "leak_quantized")
            for score in ("r_q", "cramer", "fewer elements")
            for at in [random.uniform(0.5, 0.9)]
        ]
    )
    return {"problems": problems, "ranking": ranking}


@pytest.fixture(scope="session")
def invent() -> Callable[..., Tables]:
    """Tables for any study."""
    return made_up


@pytest.fixture(scope="session")
def study() -> Synthetic:
    """Two distributions, one of them with the paper's sigma."""
    return replace(
        Synthetic.preset("quick"),
        modes=(8,),
        sigmas=(1.5, 2.0),
        models=24,
        baseline_sizes=(8, 12),
        balanced_models=8,
        large_models=2,
    )


@pytest.fixture(scope="session")
def tables(study: Synthetic) -> Tables:
    """Made up for `study`."""
    return made_up(study)


@pytest.fixture(scope="session")
def findings(study: Synthetic, tables: Tables) -> Findings:
    """Of the made-up tables."""
    return find(study, tables)


@pytest.fixture(scope="session")
def made(findings: Findings) -> dict[str, Figure]:
    """All figures of the made-up study by name."""
    return {figure.name: figure for figure in figures(findings)}
