"""Results as an audit makes them, with or without the gaps that real ones have."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantleak.auditing import AuditResult
from quantleak.results import (
    AttackResult,
    Caution,
    Estimate,
    Exposure,
    QuantizerResult,
    RateSummary,
    Recommendation,
    Utility,
    Worst,
    WorstClass,
)

NOTHING = "no interval was computed"
ATTACKS = ("lira-online", "lira-offline", "rmia-online", "rmia-offline")
MODES = ("adaptive", "transfer", "recalibrated")


CHOSEN = Recommendation(
    quantizer="ternary:0.9",
    least_leaking="ternary:0.9",
    reason="The strongest attack finds 1.4% of the training examples (members) at 1% false alarms; guessing finds 1%, "
    "the risk limit is 10%. In the original it finds 9.1%. The quantizer's AUROC is 0.848; the original's is 0.861.",
    whom="Most is found of class '1': 2.8% of its members, at 1.0% false alarms within the class.",
    clear=True,
    headline="Ship 90% sparse (ternary:0.9).",
    sure="It leaks less than the original, by 7.3 to 8.1 points (95% interval). It leaks least of all that keep enough "
    "AUROC: 0.8 to 1.6 points less than 3 bits.",
    versus={"identity": Estimate(value=-0.077, low=-0.081, high=-0.073)},
)

WORDS = {
    "identity": "original", "sign": "1 bit", "ternary:0.33": "33% sparse", "ternary:0.5": "50% sparse",
    "ternary:0.9": "90% sparse", "uniform:2": "2 bits", "uniform:3": "3 bits", "uniform:4": "4 bits",
    "uniform:5": "5 bits",
}  # fmt: skip
"""What a reader should see for each spec."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is peculiar about a made-up result."""

    fpr: float | None = 0.01
    metric: str = "auroc"
    recommended: Recommendation = CHOSEN
    intervals: bool = True
    seed: int = 0


# Spec, bits, utility, true-positive rate of the worst attack, AUC, r_Q: as measured on AMES, rounded.
ROWS = (
    ("identity", 32.0, 0.861, 0.0912, 0.683, None),
    ("sign", 1.02, 0.773, 0.0202, 0.551, 0.000412),
    ("ternary:0.33", 1.6, 0.812, 0.0287, 0.573, 0.00038),
    ("ternary:0.5", 1.6, 0.8205, 0.0261, 0.566, 0.000521),
    ("ternary:0.9", 1.6, 0.848, 0.0139, 0.529, 0.00203),
    ("uniform:2", 2.02, 0.843, 0.0402, 0.607, 0.000132),
    ("uniform:3", 3.02, 0.856, 0.0811, 0.668, 0.0000712),
    ("uniform:4", 4.01, 0.8605, 0.0898, 0.681, 0.0000341),
    ("uniform:5", 5.01, 0.861, 0.0909, 0.6828, 0.0000187),
)


def _estimate(value: float, spread: float, case: Case) -> Estimate:
    if not case.intervals:
        return Estimate(value=value, reason=NOTHING)
    return Estimate(value=value, low=value - spread, high=value + 1.2 * spread)


def _attack(name: str, mode: str, tpr: float, auc: float, case: Case) -> AttackResult:
    rates = {"0.001": tpr / 6, "0.01": tpr, "0.1": min(1.0, tpr * 5)}
    supported = {rate for rate in rates if case.fpr is not None and float(rate) >= case.fpr}
    few = "too few non-members for this false-positive rate"
    return AttackResult(
        name=name,
        mode=mode,
        convention={} if name == "loss" else {"mode": name.partition("-")[2], "variance": "shrunk"},
        auc=_estimate(auc, 0.011, case),
        tpr={
            rate: _estimate(value, value / 4, case) if rate in supported else Estimate(value=None, reason=few)
            for rate, value in rates.items()
        },
        balanced_accuracy=_estimate(auc - 0.01, 0.008, case),
        mis_bound=_estimate(2 * (1 - auc + 0.01), 0.016, case),
    )


def _refused(name: str, mode: str) -> AttackResult:
    nothing = Estimate(value=None, reason="too few shadows")
    reason = "rmia-offline needs 2 OUT shadows of every example; example 17 has 1. Train at least 8 models."
    return AttackResult(
        name=name,
        mode=mode,
        convention={},
        auc=nothing,
        tpr={},
        balanced_accuracy=nothing,
        mis_bound=nothing,
        reason=reason,
    )


def _attacks(spec: str, tpr: float, auc: float, case: Case) -> list[AttackResult]:
    rng = np.random.default_rng([case.seed, len(spec), int(1e6 * tpr)])
    modes = MODES[:1] if spec == "identity" else MODES
    made = [_attack("loss", "none", tpr * 0.4, auc - 0.02, case)]
    for name in ATTACKS:
        for mode in modes:
            share = rng.uniform(0.5, 1.0)
            made.append(_attack(name, mode, tpr * share, 0.5 + (auc - 0.5) * share, case))
    made[-1] = _refused("rmia-offline", made[-1].mode)
    return made


def _rate(value: float | None, place: int, case: Case, scale: float = 1.0) -> RateSummary:
    if value is None:
        return RateSummary(value=None, reason="not a discrete set", elements=100.0, n_validation=1456, undefined=32)
    median = value * scale
    around = {} if not case.intervals else {"low": median * 0.7, "high": median * 1.5}
    return RateSummary(
        value=median,
        **around,
        mean=median * 1.25,
        resolution=float(np.sqrt(2 * 1456 * value * 0.8)),
        elements=57.5 + 20 * place,
        n_validation=1456,
        unbounded=1 if place == 2 else 0,
        rank=Estimate(value=float(place), low=max(1.0, place - 1.0), high=place + 1.0),
        more_private_than={spec: 0.25 for spec, *_ in ROWS[1:] if spec != ROWS[place][0]},
        certificate_start=None if place == 1 else 400.0 * place,
        certified=0 if place != 4 else 3,
        certificates=16,
    )


def _quantizer(row: tuple[Any, ...], place: int, case: Case) -> QuantizerResult:
    spec, bits, utility, tpr, auc, rate = row
    spread = 0.004 if utility > 0 else 0.5
    leak, difference = (tpr, tpr - 0.0912) if case.fpr is not None else (auc, auc - 0.683)
    worst = _estimate(leak, leak / 5 if case.fpr else 0.01, case)
    measured = _estimate(utility, spread, case)
    also = {"spearman": _estimate(0.8, 0.01, case)} if case.metric == "r2" else {}
    return QuantizerResult(
        spec=spec,
        effective_bits=bits,
        utility=Utility(**vars(measured), metric=case.metric, also=also),
        rate=_rate(rate, place, case),
        cramer=_rate(rate, place, case, 0.9),
        attacks=_attacks(spec, tpr, auc, case),
        worst=Worst(**vars(worst), name="lira-online", mode="adaptive", fpr=case.fpr, auc=_estimate(auc, 0.012, case)),
        versus_original={}
        if spec == "identity"
        else {"utility": _estimate(utility - ROWS[0][2], 0.003, case), "worst": _estimate(difference, 0.004, case)},
        fidelity=_estimate(1 - place / 50, 0.003, case),
        classes=_worst_class(tpr, case),
        exposure=Exposure(reason="no false-positive rate is supported")
        if case.fpr is None
        else Exposure(tested=3639, listed=12, mostly=12, models=16),
    )


def _worst_class(tpr: float, case: Case) -> list[WorstClass]:
    if case.fpr is None or case.metric == "r2":
        return []
    found, alarms = _estimate(2 * tpr, tpr, case), _estimate(0.01, 0.005, case)
    excess = _estimate(2 * tpr - 0.01, tpr, case)
    return [WorstClass(**vars(excess), name="1", fpr=case.fpr, found=found, alarms=alarms)]


def make_result(case: Case | None = None, rows: tuple[tuple[Any, ...], ...] = ROWS) -> AuditResult:
    """A plausible result."""
    case = case or Case()
    return AuditResult(
        id="0" * 64,
        task="regression" if case.metric == "r2" else "binary",
        n={"pool": 3639, "validation": 1456, "population": 1092, "test": 1091, "models": 32, "members": 1819},
        recommended=case.recommended,
        quantizers=[_quantizer(row, place, case) for place, row in enumerate(rows)],
        data={
            "name": "AMES", "source": "AMES.csv", "rows_read": 7278, "target": "Y", "columns": ["Drug"],
            "task_rule": "binary: column 'Y' holds two values", "sha256": "ab" * 32, "categories": [], "ignored": [],
            "rows_refused": 3, "refused_rows": [17, 204, 5011], "duplicates_removed": 21, "conflicts": 4,
            "classes": ["0", "1"],
        },
        settings={
            "model": "mlp:128", "quantizers": [row[0] for row in rows], "models": 32, "epochs": 60,
            "optimizer": "adam:0.001", "batch": 128, "evaluate_every": 1, "seed": 0, "device": "auto",
            "trainer": "stacked", "unquantized_dtype": "bfloat16", "utility_loss": 0.02, "risk_limit": 0.09,
            "level": 0.95,
        },
        seeds={"seed": 0, "bootstrap": 123456},
        versions={"quantleak": "0.1.0", "torch": "2.13.0+cpu", "numpy": "2.4.6", "python": "3.11.7"},
        timings={"train": 81.25, "attack": 12.5, "processes": 2.0},
        models=pd.DataFrame({"model": [0, 1]}),
        targets=pd.DataFrame({"target": [0, 1]}),
        roc=_roc(rows, case),
        classes=_classes(rows, case),
        exposed=_exposed(rows, case),
        cautions=[Caution(kind="data", text="Rows occur more than once: 21 were removed.")],
    )  # fmt: skip


def _roc(rows: tuple[tuple[Any, ...], ...], case: Case) -> pd.DataFrame:
    fprs = [] if case.fpr is None else [0.00316, 0.01, 0.1, 1.0]
    made = []
    for spec, *_, tpr, _, _ in rows:
        for attack, mode, scale in (("lira-online", "adaptive", 1.0), ("loss", "none", 0.4)):
            values = [min(1.0, tpr * scale * (fpr / 0.01) ** 0.6) for fpr in fprs]
            made += [
                {"quantizer": spec, "attack": attack, "mode": mode, "fpr": fpr, "tpr": value, "low": 0.0, "high": value}
                for fpr, value in zip(fprs, values, strict=True)
            ]
    return pd.DataFrame(made)


def _classes(rows: tuple[tuple[Any, ...], ...], case: Case) -> pd.DataFrame:
    if case.fpr is None or case.metric == "r2":
        return pd.DataFrame()
    return pd.DataFrame(
        [
            {
                "quantizer": spec, "fpr": fpr, "class": name, "examples": size, "rare": size < 910, "supported": True,
                "found": tpr * (2 if size < 910 else 1), "found_low": tpr / 2, "found_high": 3 * tpr,
                "alarms": 0.01, "alarms_low": 0.005, "alarms_high": 0.02,
                "excess": tpr - 0.01, "excess_low": 0.0, "excess_high": 2 * tpr,
            }
            for spec, *_, tpr, _, _ in rows
            for fpr in dict.fromkeys((case.fpr, 0.1))
            for name, size in (("0", 3000), ("1", 639))
        ]
    )  # fmt: skip


def _exposed(rows: tuple[tuple[Any, ...], ...], case: Case) -> pd.DataFrame:
    if case.fpr is None:
        return pd.DataFrame()
    return pd.DataFrame(
        [
            {
                "quantizer": spec, "row": 7000 - 13 * place, "found": 0.875, "found_low": 0.3, "found_high": 1.0,
                "alarms": 0.125, "alarms_low": 0.0, "alarms_high": 0.6, "members": 8, "others": 8, "p": 0.01,
            }
            for spec, *_ in rows
            for place in range(12)
        ]
    )  # fmt: skip


def rewritten(result: AuditResult, **changes: Any) -> AuditResult:
    """The same result with some fields changed."""
    return replace(result, **changes)


@pytest.fixture(scope="session")
def make() -> Callable[..., AuditResult]:
    return make_result


@pytest.fixture(scope="session")
def words() -> dict[str, str]:
    return WORDS


@pytest.fixture
def case() -> type[Case]:
    return Case
