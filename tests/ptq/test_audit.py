"""Audits of rules for whole networks: beside tensor rules, calibrated on each model's own members, controls apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import quantleak as ql
from quantleak.cli import app
from quantleak.ptq import procedure

SPECS = ("rtn:4", "rtn:3?head=8", "obq:2?head=8", "noise:sign")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "out"
    chosen = [word for spec in SPECS for word in ("--quantizer", spec)]
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(420, 12)))
    table["y"] = (table[0] + table[1] + random.normal(size=420) > 0).astype(int)
    table.to_csv(folder.parent / "noisy.csv", index=False)
    command = ["audit", "--data", str(folder.parent / "noisy.csv"), "--target", "y", "--models", "8", "--epochs", "80"]
    command += ["--model", "mlp:32", "--set", "optimizer=adam:1e-2", "--set", "evaluate_every=40"]
    done = CliRunner().invoke(app, [*command, *chosen, "--workers", "1", "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_they_stand_beside_tensor_rules_in_words(out: Path) -> None:
    result = ql.AuditResult.load(out)
    assert [row.spec for row in result.quantizers] == ["identity", *SPECS, "sign"]  # which the noise is compared with
    page = (out / "report.html").read_text()
    for words in ("3 bits by rounding, head=8", "2 bits by OBQ, head=8"):
        assert words in page
    assert "noise like sign" in page


def test_what_is_read_of_the_training_data_is_part_of_the_audit(out: Path) -> None:
    read = json.loads((out / "run.json").read_text())["calibration"]["quantizers"]
    members = min(ql.AuditResult.load(out).calibration.groupby("model").size())
    assert members == read["obq:2?head=8"]["examples"] > 20
    assert read == {
        "rtn:3?head=8": {"source": "members", "examples": 1},
        "obq:2?head=8": {"source": "members", "examples": members},
    }


def test_rounding_to_nearest_is_followed_and_the_rest_has_no_rate(out: Path) -> None:
    result = ql.AuditResult.load(out)
    assert result["rtn:4"].rate.elements is not None
    assert result["obq:2?head=8"].rate.reason.startswith("no trajectory")
    assert result["noise:sign"].rate.reason.startswith("not a discrete set")
    weights, channels = 12 * 32 + 32, 33
    bits = (weights * 4 + channels * (32 + 8 + 16)) / (weights + channels)
    assert result["rtn:4"].effective_bits == pytest.approx(bits)
    assert result["noise:sign"].effective_bits == 32


def test_a_control_is_never_recommended(out: Path) -> None:
    recommended = ql.AuditResult.load(out).recommended
    assert recommended.least_leaking in (*SPECS[:3], "sign")
    assert set(recommended.versus) <= {"identity", "sign", *SPECS[:3]}
    assert len(recommended.versus) >= 2


def test_what_needs_no_data_is_data_free() -> None:
    expected = {"rtn:4": True, "rtn:4?head=8": True, "rtn:4?retune=true": False, "obq:4": False, "sign": True}
    expected |= {"noise:sign": True, "noise:obq:3": False}
    assert {spec: procedure(spec).data_free for spec in expected} == expected
