"""Settings of all tests, and audits made up from a few figures, so that what is said of them can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from quantleak.auditing import AuditResult
from quantleak.results import (
    AttackResult,
    Estimate,
    QuantizerResult,
    RateSummary,
    Recommendation,
    Utility,
    Worst,
)

# Neither a busy machine nor a loop that is compiled at its first call is a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

Made = Callable[..., AuditResult]
SPECS = ("identity", "uniform:5", "ternary:0.9")


def around(value: float, arm: float) -> Estimate:
    return Estimate(value=value, low=value - arm, high=value + arm)


def attack(name: str, tpr: Estimate, auc: Estimate, reason: str | None = None) -> AttackResult:
    few = Estimate(value=None, reason="FPR 0.001 needs 1999 non-members per target, there are 450")
    return AttackResult(
        name=name, mode="adaptive", convention={"name": name.partition("-")[0]}, auc=auc,
        tpr={} if reason else {"0.001": few, "0.01": tpr}, balanced_accuracy=around(0.55, 0.01),
        mis_bound=around(0.9, 0.02), reason=reason,
    )  # fmt: skip


def quantized(spec: str, utility: float, tpr: float, auc: float, rate: float) -> QuantizerResult:
    strongest, weaker = around(tpr, 0.01), around(tpr - 0.005, 0.03)
    gap = {} if spec == "identity" else {"utility": around(utility - 0.86, 0.002), "worst": around(tpr - 0.2, 0.004)}
    none = RateSummary(value=None, reason="not a discrete set of parameters")
    known = RateSummary(value=rate, low=0.8 * rate, high=1.2 * rate, n_validation=1000, resolution=(2000 * rate) ** 0.5)
    return QuantizerResult(
        spec=spec,
        effective_bits=5.0,
        utility=Utility(value=utility, low=utility - 0.01, high=utility + 0.01, metric="auroc"),
        rate=none if spec == "identity" else known,
        cramer=none,
        attacks=[
            attack("loss", weaker, around(auc - 0.05, 0.01)),
            attack("lira-online", strongest, around(auc, 0.01)),
            attack("rmia-online", strongest, around(auc, 0.01), reason="RMIA needs more shadows"),
        ],
        worst=Worst(
            value=tpr, low=tpr - 0.02, high=tpr + 0.02, name="lira-online", mode="adaptive", fpr=0.01,
            auc=around(auc, 0.02),
        ),
        versus_original=gap,
    )  # fmt: skip


@pytest.fixture
def made() -> Made:
    """`made(id, **changes)`: an audit of three quantizers; five bits leak 20% at 1% FPR, 90% sparsity 5%."""

    def make(run: str = "a", *, shift: float = 0.0, **changes: Any) -> AuditResult:
        figures = {"identity": (0.86, 0.2, 0.7, 0.0), "uniform:5": (0.86, 0.2, 0.7, 0.001)}
        figures["ternary:0.9"] = (0.83, 0.05, 0.56, 0.004)
        random = np.random.default_rng(0)
        models = pd.DataFrame(
            [
                {"model": model, "quantizer": spec, "r_q": rate + 0.0001 * random.normal() if rate else None}
                for spec, (*_, rate) in figures.items()
                for model in range(16)
            ]
        )
        values: dict[str, Any] = {
            "id": run,
            "task": "binary",
            "n": {"pool": 1000, "validation": 1000, "population": 300, "test": 300, "models": 16},
            "recommended": Recommendation(quantizer="ternary:0.9", reason="It leaks least.", clear=True),
            "quantizers": [
                quantized(spec, utility + shift, tpr + shift, auc + shift, rate)
                for spec, (utility, tpr, auc, rate) in figures.items()
            ],
            "data": {"name": "patients", "sha256": "abc"},
            "settings": {"quantizers": list(SPECS), "models": 16, "seed": 0, "level": 0.95},
            "seeds": {"seed": 0},
            "versions": {"quantleak": "0.1.0"},
            "timings": {},
            "models": models,
            "targets": pd.DataFrame({"quantizer": list(SPECS)}),
        }
        return AuditResult(**(values | changes))

    return make
