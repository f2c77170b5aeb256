"""The presets that no test can run at full size, at a reduced one: methods, options and widths are the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

from quantleak.studies.vision.jobs import Vision, settings
from quantleak.studies.vision.jobs.fleet import FleetJob
from quantleak.studies.vision.jobs.plans import plans

REDUCED = {
    "data": ["digits"],
    "network": "resnet:8?width=2",
    "smaller": "conv:2",
    "models": 2,
    "pool": 40,
    "epochs": 2,
    "evaluate_every": 1,
    "batch": 16,
    "calibration_examples": 8,
    "noise": False,
    "layers": False,
    "followed": ["2"],
}


@pytest.fixture(autouse=True)
def two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every option as it is, but two steps of learning."""
    short = {
        name: {method: re.sub(r"iterations=\d+", "iterations=2", options) for method, options in profile.items()}
        for name, profile in settings.PROFILES.items()
    }
    monkeypatch.setattr(settings, "PROFILES", short)


@pytest.mark.parametrize(("preset", "options"), [("gpu", ()), ("paper", ("zero=false", "order=greedy", "loss=mse"))])
def test_a_large_preset_runs_at_a_reduced_size(preset: str, options: tuple[str, ...]) -> None:
    study = Vision.preset(preset).changed(REDUCED)
    shared = {"digits": plans(study, "digits")}
    left = FleetJob("digits", (0,), study.stopped_at)(shared)
    specs = list(shared["digits"].quantized.procedures)
    assert left.block.pool.shape == (1, len(specs), 40, 2)
    assert np.isfinite(left.block.pool).all()
    assert left.stopped.shape == (1, 1, 40, 2)
    for option in options:
        assert any(option in spec for spec in specs)
    widths = {spec.partition(":")[2].partition("?")[0] for spec in specs if spec.startswith("brecq")}
    assert widths == {"4", "3", "2", "ternary"}
