"""Every figure of a small study that was run: drawn from the findings, nothing lost and nothing made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.tiny import Tiny

from quantleak.studies.common import Figure
from quantleak.studies.common.page import MOST_ROWS
from quantleak.studies.vision import STUDY
from quantleak.studies.vision.figures import figures
from quantleak.studies.vision.figures.drawing import FLOAT_SHADOWS, QUANTIZED_SHADOWS
from quantleak.studies.vision.figures.selections import leakage
from quantleak.studies.vision.figures.weaker import BELOW
from quantleak.studies.vision.findings import METRIC
from quantleak.studies.vision.jobs import ADAPTIVE, LAYER, NOISE, TRANSFER, WIDTH

NAMES = ["fig1", "mismatch", "toy", "weaker", "heads", "layers", "examples", "calibration", "attacks", "scores"]


@pytest.fixture(scope="module")
def made(tiny: Tiny) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(tiny.found)}


def test_all_are_there_in_the_order_of_the_page(made: dict[str, Figure]) -> None:
    assert list(made) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_drawn_and_its_table_fits_the_page(made: dict[str, Figure], name: str) -> None:
    figure = made[name]
    assert figure.svg.startswith("<svg")
    assert "NaN" not in figure.svg
    shown = figure.frame if figure.shown is None else figure.shown
    assert 0 < len(shown) <= MOST_ROWS
    assert len(pd.read_csv(pd.io.common.StringIO(figure.csv))) == len(figure.frame)


def drawn(figure: Figure) -> list[dict[str, object]]:
    """All rows of data inside the drawing."""
    return [row for rows in figure.spec["datasets"].values() for row in rows]


def test_points_of_figure_1_are_the_attacks_figures(tiny: Tiny, made: dict[str, Figure]) -> None:
    attacks, utility = tiny.found.attacks, tiny.found.utility
    for mode, attacker in ((TRANSFER, FLOAT_SHADOWS), (ADAPTIVE, QUANTIZED_SHADOWS)):
        mine = made["fig1"].frame[made["fig1"].frame["attacker"] == f"LiRA with {attacker}"]
        assert sorted(mine["quantizer"]) == sorted(
            spec for spec, row in tiny.one.rows.items() if row.part in (WIDTH, "identity")
        )
        for row in mine.to_dict("records"):
            only = ADAPTIVE if row["quantizer"] == "identity" else mode
            wanted = {"quantizer": row["quantizer"], "attack": "lira-online", "mode": only, "metric": METRIC}
            one = attacks[np.logical_and.reduce([attacks[name] == value for name, value in wanted.items()])]
            assert row["value"] == one["value"].item()
            assert row["accuracy"] == utility.set_index("quantizer")["accuracy"][row["quantizer"]]


def test_points_of_the_mismatch_are_the_gaps_of_the_table(tiny: Tiny, made: dict[str, Figure]) -> None:
    differences = [row for row in drawn(made["mismatch"]) if row.get("series") == "difference"]
    gaps = tiny.found.gaps
    gaps = gaps[(gaps["attack"] == "lira-online") & (gaps["metric"] == METRIC) & gaps["part"].isin(["width", "head"])]
    gaps = gaps[gaps["method"] != "all three"]
    assert sorted(row["value"] for row in differences) == pytest.approx(sorted(gaps["difference"]), rel=1e-5)


def test_curves_of_controls_go_from_the_original_on(tiny: Tiny, made: dict[str, Figure]) -> None:
    curve = [row for row in drawn(made["weaker"]) if row.get("control") == "noise on the weights" and "place" in row]
    accuracies = [row["accuracy"] for row in sorted(curve, key=lambda row: float(str(row["place"])))]
    every = leakage(tiny.found, ADAPTIVE, [NOISE, WIDTH, "identity"])
    low = every[(every["part"] == WIDTH) & (every["method"] != "rtn")]["accuracy"].min()
    expected = every[(every["part"] != WIDTH) & (every["accuracy"] > low - BELOW)]["accuracy"]
    assert accuracies == pytest.approx(sorted(expected, reverse=True), rel=1e-5)


def test_what_a_study_leaves_out_is_not_drawn(tiny: Tiny) -> None:
    found = tiny.found
    without = replace(
        found,
        attacks=found.attacks[~found.attacks["part"].isin([LAYER])],
        gaps=found.gaps.iloc[:0],
        examples=found.examples.iloc[:0],
        calibrated=found.calibrated.iloc[:0],
    )
    names = [figure.name for figure in figures(without)]
    assert names == [name for name in NAMES if name not in ("mismatch", "layers", "examples", "calibration")]


def test_where_no_rate_is_supported_the_rest_is_drawn(tiny: Tiny) -> None:
    attacks = tiny.found.attacks.copy()
    attacks.loc[attacks["metric"] == METRIC, ["value", "low", "high", "spread"]] = np.nan
    found = replace(tiny.found, attacks=attacks, gaps=tiny.found.gaps.iloc[:0])
    names = [figure.name for figure in figures(found)]
    assert not {"fig1", "mismatch", "weaker", "heads"} & set(names)
    assert {"toy", "layers", "attacks", "scores"} <= set(names)
    assert not [sentence for sentence in STUDY.words(found, []).headlines if "mismatch (" in sentence]
