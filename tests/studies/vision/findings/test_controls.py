"""Controls at equal accuracy, against linear interpolation by NumPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.made_up import ALONE, BASE, Key, figure, head_row, measured, width_row
from tests.studies.vision.tiny import Tiny

from quantleak.attacks import Crossed
from quantleak.studies.vision.findings import NOISE_CONTROL, STOPPED_CONTROL
from quantleak.studies.vision.findings.controls import controls
from quantleak.studies.vision.jobs import Row

METRIC = "tpr@0.01"
NOISES = {"0.5": ("noise:0.5:obq:2", 0.8, 0.3), "1": ("noise:obq:2", 0.6, 0.15), "2": ("noise:2:obq:2", 0.3, 0.02)}
"""By size: spec, accuracy, leakage; the original has .9 and .4."""
STOPPED = {2: (0.5, 0.05), 6: (0.85, 0.2)}
"""By epoch of 10: accuracy, leakage."""


def table(
    accuracy: float | Crossed, leakage: float | Crossed, *, noises: tuple[str, ...] = tuple(NOISES)
) -> pd.DataFrame:
    """Controls of a quantizer with this accuracy and leakage."""
    rows = [BASE, width_row("rtn", "2"), head_row("obq"), ALONE]
    rows += [Row(spec=NOISES[size][0], part="noise", method="obq", width="2", option=size) for size in reversed(noises)]
    figures = {"identity": (0.9, 0.4), "rtn:2": (accuracy, leakage), "obq:ternary?head=float": (0.7, 0.1)}
    figures |= {ALONE.spec: (0.7, 0.1)} | {NOISES[size][0]: NOISES[size][1:] for size in noises}
    figures |= {f"stopped after {epoch}": pair for epoch, pair in STOPPED.items()}
    leak: dict[Key, float | Crossed] = {
        (name, "lira-online", "adaptive", METRIC): pair[1] for name, pair in figures.items()
    }
    accuracies = {name: pair[0] for name, pair in figures.items()}
    return controls(measured(leak, accuracies, rows, stopped_at=tuple(STOPPED), epochs=10))


def row_of(found: pd.DataFrame, control: str, quantizer: str = "rtn:2") -> pd.Series:
    (place,) = found.index[(found["control"] == control) & (found["quantizer"] == quantizer)]
    return found.loc[place]


def interpolated(points: list[tuple[float, float, float]], accuracy: float) -> tuple[float, float]:
    """Size and leakage where the accuracy is the same, of (accuracy, leakage, size) of every point."""
    accuracies, leakages, sizes = np.array(sorted(points)).T
    return float(np.interp(accuracy, accuracies, sizes)), float(np.interp(accuracy, accuracies, leakages))


@pytest.mark.parametrize("accuracy", [0.9, 0.87, 0.8, 0.65, 0.5])
def test_leakage_of_the_controls_is_interpolated_between_neighbours(accuracy: float) -> None:
    found = table(accuracy, 0.18)
    noise = [(0.9, 0.4, 0.0), *((a, leak, float(size)) for size, (_, a, leak) in NOISES.items())]
    stopped = [(0.9, 0.4, 10.0), *((a, leak, float(epoch)) for epoch, (a, leak) in STOPPED.items())]
    for control, points in ((NOISE_CONTROL, noise), (STOPPED_CONTROL, stopped)):
        row, (at, leakage) = row_of(found, control), interpolated(points, accuracy)
        assert row["at"] == pytest.approx(at)
        assert row["control_leakage"] == pytest.approx(leakage)
        assert row["leakage"] == pytest.approx(0.18)
        limits = row[["difference", "difference_low", "difference_high"]].tolist()
        assert limits == pytest.approx([0.18 - leakage] * 3)
        assert row["reason"] == ""


def test_a_quantizer_that_loses_nothing_is_compared_with_the_original() -> None:
    found = table(0.95, 0.18)
    for control, at in ((NOISE_CONTROL, 0.0), (STOPPED_CONTROL, 10.0)):
        row = row_of(found, control)
        assert (row["at"], row["control_leakage"], row["difference"]) == pytest.approx((at, 0.4, 0.18 - 0.4))


def test_a_quantizer_that_loses_more_than_every_control_has_no_difference_but_a_reason() -> None:
    found = table(0.1, 0.01)
    for control in (NOISE_CONTROL, STOPPED_CONTROL):
        row = row_of(found, control)
        assert row["reason"]
        assert pd.isna(row[["difference", "difference_low", "difference_high", "at", "control_leakage"]]).all()


def test_doubt_about_the_accuracy_widens_the_interval_by_the_slope() -> None:
    sure, unsure = (row_of(table(accuracy, 0.18), NOISE_CONTROL) for accuracy in (0.7, figure(0.7, 0.02)))
    assert sure["difference"] == pytest.approx(unsure["difference"])
    # Between .8 and .6 leakage falls by .15: a standard error of .02 sqrt(8 / 7) / sqrt 8 of the accuracy is as much
    # of the leakage times .75, and a normal limit of that.
    error = 0.75 * 0.02 * np.sqrt(8 / 7) / np.sqrt(8)
    assert unsure["difference_high"] - unsure["difference"] == pytest.approx(1.959964 * error, rel=1e-5)


def test_rows_of_widths_and_heads_have_controls_and_no_others() -> None:
    found = table(0.7, 0.18)
    expected = {(name, control) for name in ("rtn:2", "obq:ternary?head=float")
                for control in (NOISE_CONTROL, STOPPED_CONTROL)}  # fmt: skip
    assert set(zip(found["quantizer"], found["control"], strict=True)) == expected
    row = row_of(found, NOISE_CONTROL, "obq:ternary?head=float")
    assert row[["part", "method", "width", "head"]].tolist() == ["head", "obq", "ternary", "float"]


def test_without_noise_there_is_no_such_control() -> None:
    assert set(table(0.7, 0.18, noises=())["control"]) == {STOPPED_CONTROL}


def test_without_a_rate_the_table_is_empty_and_has_its_columns() -> None:
    none = controls(measured({("identity", "lira-online", "adaptive", "auc"): 0.7}, {}, [BASE]))
    assert none.empty
    assert none.columns.tolist() == table(0.7, 0.18).columns.tolist()


def test_controls_of_the_tiny_study(tiny: Tiny) -> None:
    found = tiny.found.controls
    wanted = {spec for spec, row in tiny.one.rows.items() if row.part in ("width", "head")}
    assert set(found["quantizer"]) == wanted
    accuracy = tiny.found.utility.set_index("quantizer")["accuracy"]
    block = tiny.ran.trained["digits"].quantized
    for _, row in found[found["control"] == STOPPED_CONTROL].dropna(subset=["difference"]).iterrows():
        assert 1 <= row["at"] <= 3
        assert row["difference"] == pytest.approx(row["leakage"] - row["control_leakage"], abs=1e-9) or (
            row["control_leakage"] == 0
        )
    for epoch in (1, 2):
        assert accuracy[f"stopped after {epoch}"] == pytest.approx(block.stopped_test[:, epoch - 1].mean())
