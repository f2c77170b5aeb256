"""The whole study: it continues where it was interrupted, and says what an audit of the same settings says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.tiny import DATA, Tiny, run_tiny

import quantleak as ql
from quantleak.store import Output
from quantleak.studies.vision.jobs.run import SMALLER, blocks, stopped_name

SPECS = ("identity", "rtn:2", "obq:ternary")


def timeless(values: Any) -> Any:
    """Plain values without the seconds that were spent, however deep they are."""
    if isinstance(values, dict):
        return {name: timeless(value) for name, value in values.items() if name != "seconds"}
    return [timeless(value) for value in values] if isinstance(values, list) else values


def assert_same(one: Output, two: Output) -> None:
    """Arrays bit for bit, and all values but the time that was spent."""
    (first, values), (second, others) = one.parts(), two.parts()
    assert list(first) == list(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        np.testing.assert_array_equal(array, second[name], err_msg=name)
    assert json.dumps(timeless(values)) == json.dumps(timeless(others))


def test_two_processes_that_find_two_jobs_missing_give_the_same_numbers(tiny: Tiny, tmp_path: Path) -> None:
    shutil.copytree(tiny.folder, tmp_path / "again")
    jobs = tmp_path / "again" / "jobs"
    for name in (f"{DATA}-fleet-0003", f"{DATA}-attack-004"):
        (jobs / f"{name}.npz").unlink()
    before = {path.name: path.stat().st_mtime_ns for path in jobs.glob("*.npz")}
    again = run_tiny(tiny.study, tmp_path / "again", workers=2)
    made = {path.name for path in jobs.glob("*.npz") if before.get(path.name) != path.stat().st_mtime_ns}
    assert made == {f"{DATA}-fleet-0003.npz", f"{DATA}-attack-004.npz"}
    assert_same(again.trained[DATA].quantized, tiny.ran.trained[DATA].quantized)
    assert_same(again.trained[DATA].smaller, tiny.ran.trained[DATA].smaller)
    assert again.toy == tiny.ran.toy
    for name, output in tiny.ran.attacked[DATA].items():
        assert_same(again.attacked[DATA][name], output)


@pytest.fixture(scope="module")
def audited(tiny: Tiny) -> pd.DataFrame:
    """One row for each target, quantizer, attack and mode of an audit with the settings of the study."""
    return ql.audit(ql.read_images(DATA), tiny.study.fleet(SPECS), workers=1).targets


@pytest.mark.parametrize("attack", ["lira-online", "rmia-offline"])
@pytest.mark.parametrize("spec", SPECS)
def test_an_audit_of_the_same_settings_tells_the_same_of_every_target(
    tiny: Tiny, audited: pd.DataFrame, spec: str, attack: str
) -> None:
    columns = tiny.ran.attacked[DATA][spec].columns
    rows = audited[(audited["quantizer"] == spec) & (audited["attack"] == attack)]
    modes = ["adaptive"] if spec == "identity" else ["adaptive", "transfer", "recalibrated"]
    assert sorted(set(rows["mode"])) == sorted(modes)
    for mode in modes:
        one = rows[rows["mode"] == mode].sort_values("target")
        for metric in ("auc", "balanced_accuracy"):
            np.testing.assert_array_equal(columns[f"{attack}/{mode}/{metric}"], one[metric])
        # An audit's table cuts at 0 and 1 what its correction takes beyond.
        rate = np.clip(columns[f"{attack}/{mode}/tpr@0.01"], 0, 1)
        np.testing.assert_array_equal(rate, one["tpr@0.01"])


def test_every_row_and_control_is_attacked(tiny: Tiny) -> None:
    controls = ["stopped after 1", "stopped after 2", SMALLER]
    assert [stopped_name(epoch) for epoch in (1, 2)] == controls[:2]
    assert list(tiny.ran.attacked[DATA]) == [*(row.spec for row in tiny.ran.plans[DATA].rows), *controls]


@pytest.mark.parametrize(
    ("name", "place"), [("stopped after 1", 0), ("stopped after 2", 1), (SMALLER, None)]
)  # fmt: skip
def test_loss_on_a_control_ranks_its_own_signals(tiny: Tiny, name: str, place: int | None) -> None:
    """The attack that needs no shadows shows which signals a control was given."""
    trained = tiny.ran.trained[DATA]
    pool = trained.smaller.pool[:, 0] if place is None else trained.quantized.stopped[:, place]
    signals, member = pool.mean(-1), tiny.plan.member
    above = [(row[inside][:, None] > row[~inside]).mean() for row, inside in zip(signals, member, strict=True)]
    assert tiny.ran.attacked[DATA][name].columns["loss/none/auc"] == pytest.approx(np.array(above), abs=1e-9)


def test_every_model_is_a_job_of_its_own(tiny: Tiny) -> None:
    assert blocks(tiny.plan) == [(model,) for model in range(8)]


def test_time_is_the_sum_over_jobs(tiny: Tiny) -> None:
    seconds, trained = tiny.ran.seconds, tiny.ran.trained[DATA]
    assert seconds["train, quantize, evaluate"] == trained.quantized.block.seconds > 0
    assert seconds["small networks"] == trained.smaller.seconds > 0
    attacks = [one.seconds for one in tiny.ran.attacked[DATA].values()]
    assert seconds["attack"] == pytest.approx(sum(attacks))
    assert min(attacks) > 0
