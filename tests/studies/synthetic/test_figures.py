"""The figures of made-up tables: what they compute, against definitions and other libraries, and their files."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from quantleak.quantizers import PAPER_A
from quantleak.studies.common import Figure
from quantleak.studies.synthetic import Findings, Synthetic, Tables, find
from quantleak.studies.synthetic.figures import large_n, models_needed, rank_stability
from quantleak.studies.synthetic.figures.accuracies import table_2
from quantleak.studies.synthetic.figures.large_n import apart
from quantleak.studies.synthetic.figures.models_needed import settled
from quantleak.studies.synthetic.figures.subsets import ranked

EIGHT = list(PAPER_A[:-1])
PAPERS = {"fig1", "fig2", "fig5", "fig6", "fig7", "fig8", "table2"}
OURS = {"agreement", "needed", "large_n", "perceptrons", "exact", "exact_ranking"}


def test_every_figure_is_there(made: dict[str, Figure]) -> None:
    assert set(made) == PAPERS | OURS
    assert all(figure.title and figure.caption.endswith(".") for figure in made.values())


@pytest.mark.parametrize("name", sorted(PAPERS | OURS))
def test_spec_drawing_and_csv_are_whole(made: dict[str, Figure], name: str) -> None:
    figure = made[name]
    again = pd.read_csv(io.StringIO(figure.csv))
    assert list(again.columns) == list(figure.frame.columns)
    assert len(again) == len(figure.frame) > 0
    json.dumps(figure.spec, allow_nan=False)
    assert "NaN" not in figure.svg
    assert "currentColor" in figure.svg, "ink must follow the page"
    root = ElementTree.fromstring(figure.svg)
    texts = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert len(texts) > 4
    assert not texts & {"null", "undefined"}
    assert root.get("aria-label", "").startswith(figure.title)


def test_a_png_is_drawn_on_white(made: dict[str, Figure]) -> None:
    png = made["exact_ranking"].png
    width, _, depth, colours = struct.unpack(">IIBB", png[16:26])
    assert width > 1200, "two pixels for each of the drawing"
    start = png.index(b"IDAT")
    pixels = zlib.decompressobj().decompress(png[start + 4 :], 16)
    # After the byte that names the line's filter; the first pixel has no neighbour to be predicted from.
    assert (depth, colours) == (8, 6)
    assert pixels[1:5] == b"\xff\xff\xff\xff"


def test_no_colour_of_a_mark_is_lost_on_a_dark_page(made: dict[str, Figure]) -> None:
    for figure in made.values():
        paints = {
            element.get(paint, "none")
            for element in ElementTree.fromstring(figure.svg).iter()
            for paint in ("fill", "stroke")
        }
        fixed = {paint for paint in paints if not paint.startswith("var(")} - {"none", "currentColor", "transparent"}
        assert not fixed, figure.name


def test_figures_2_and_6_hold_means_with_limits_around_them(
    made: dict[str, Figure], tables: Tables, study: Synthetic
) -> None:
    keys = ["sigma", "k_modes", "quantizer"]
    models = tables.models.assign(
        original=tables.models.groupby(["sigma", "k_modes", "model"])["accuracy"].transform("last")
    )
    assert (
        models[models["quantizer"] == "identity"]["original"] == models[models["quantizer"] == "identity"].accuracy
    ).all()
    models["relative"] = models["accuracy"] / models["original"]
    means = models[models["quantizer"] != "identity"].groupby(keys)[["r_q", "relative"]].mean()
    for name, column, mine in (
        ("fig2", "r_q", "r_q"),
        ("fig6", "r_q", "r_q"),
        ("fig6", "relative", "relative_accuracy"),
    ):
        frame = made[name].frame.set_index(keys)
        assert len(frame) == 8 * len(study.distributions)
        pd.testing.assert_series_equal(frame[mine], means[column].loc[frame.index], check_names=False)
        assert (frame[f"{mine}_low"] < frame[mine]).all()
        assert (frame[mine] < frame[f"{mine}_high"]).all()


def test_figure_2_prints_the_correlation_of_its_points(made: dict[str, Figure]) -> None:
    for _, frame in made["fig2"].frame.groupby(["sigma", "k_modes"]):
        expected = stats.spearmanr(frame["r_q"], frame["mis"]).statistic
        assert frame["spearman"].to_numpy() == pytest.approx(np.full(8, expected))


def test_ranks_of_subsets_are_the_definition() -> None:
    values = np.random.default_rng(0).lognormal(size=(11, 8))
    found = ranked(values, extra=(5, 20))
    assert 5 in found.sizes
    assert found.sizes[-1] == 11
    best_first = sorted(range(8), key=lambda k: -values[:, k].mean())
    assert [EIGHT.index(spec) for spec in found.order()] == best_first
    assert found.subsets[-1] == pytest.approx(np.tile(found.all, (100, 1)))
    # One model: the ranks of some row of the table.
    rows = {tuple(row) for row in stats.rankdata(-values, axis=1)}
    assert {tuple(row) for row in found.subsets[0]} <= rows


def test_shares_and_confusions_add_up(made: dict[str, Figure]) -> None:
    frame = made["fig1"].frame
    shares = frame[frame["part"] == "share of subsets"]
    assert shares.groupby(["models", "quantizer"])["value"].sum().to_numpy() == pytest.approx(1)
    confusion = frame[frame["part"] == "confusion"]
    assert set(confusion["models"]) == {20}, "50 models are more than there are"
    assert confusion.groupby("rank_by_all")["value"].sum().to_numpy() == pytest.approx(1)
    assert confusion.groupby("rank")["value"].sum().to_numpy() == pytest.approx(1)


def test_figure_1_is_of_the_papers_distribution_or_the_first(
    made: dict[str, Figure], study: Synthetic, invent: Callable[..., Tables]
) -> None:
    assert "σ = 2, 8 modes" in made["fig1"].title
    other = replace(study, modes=(3,), sigmas=(1.5,), models=6, draws=1, large_models=0, searched_models=2)
    tables = invent(other, baseline=False)
    findings = find(other, tables)
    first = rank_stability(other, tables, findings)
    assert "σ = 1.5, 3 modes" in first.title
    assert set(first.frame["part"]) == {"share of subsets", "spearman"}, "20 models are more than there are"
    assert "discriminator" not in set(models_needed(other, tables, findings).frame["ranking"])
    assert table_2(other, tables.accuracy)["spread"].isna().all(), "one draw has no spread"
    assert large_n(other, replace(tables, large=pd.DataFrame()), findings) is None


def test_figure_5_is_the_quantizers_by_hand(made: dict[str, Figure]) -> None:
    wide = made["fig5"].frame.pivot(index="weight", columns="quantizer", values="value")
    weight = wide.index.to_numpy()
    np.testing.assert_array_equal(wide["sign"], np.where(weight >= 0, 1, -1))
    assert (wide["ternary:0.5"] == 0).mean() == pytest.approx(0.5, abs=2e-3)
    np.testing.assert_array_equal(wide["uniform:2"][weight > 0], np.floor(1 + 2 * weight[weight > 0]) / 2)
    assert wide["uniform:2"].loc[0.0] == 0
    assert wide["uniform:2"].loc[1.0] == 1.5


def test_figure_7_has_the_mean_and_the_range_over_distributions(
    made: dict[str, Figure], study: Synthetic, tables: Tables, findings: Findings
) -> None:
    frame = made["fig7"].frame
    assert (frame["distributions"] == len(study.distributions)).all()
    assert ((frame["low"] <= frame["spearman"]) & (frame["spearman"] <= frame["high"])).all()
    last = frame[frame["models"] == study.models]
    assert last["spearman"].to_numpy() == pytest.approx(1)
    baseline = frame[frame["ranking"] == "discriminator"]
    assert set(baseline["models"]) == {*study.baseline_sizes, study.models}
    means = tables.baseline.groupby(["sigma", "k_modes", "models", "quantizer"])["accuracy"].mean().unstack()
    each = [
        stats.spearmanr(at.xs(8, level="models").iloc[0], at.xs(study.models, level="models").iloc[0]).statistic
        for _, at in means.groupby(["sigma", "k_modes"])
    ]
    assert baseline[baseline["models"] == 8]["spearman"].item() == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.5, 0.97, 1.0), 2), ((0.97, 0.9, 0.96), None), ((0.99, 1.0, 1.0), 1), ((0.1, 0.2, 1.0), None)],
)
def test_settled_stays_above(values: tuple[float, ...], expected: int | None) -> None:
    assert settled(pd.DataFrame({"models": [1, 2, 5], "spearman": values})) == expected


def test_figure_8_projects_onto_the_directions_of_largest_variance(made: dict[str, Figure], study: Synthetic) -> None:
    frame = made["fig8"].frame
    assert (frame.groupby(["sigma", "k_modes"]).size() == 200).all()
    assert set(frame["label"]) == {0, 1}
    for _, points in frame.groupby(["sigma", "k_modes"]):
        first, second = points["first"], points["second"]
        assert first.mean() == pytest.approx(0, abs=1e-3)
        assert first.var() > second.var()
        assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=1e-3)


def test_table_2_sets_the_papers_accuracy_beside_ours(
    made: dict[str, Figure], study: Synthetic, tables: Tables
) -> None:
    frame = made["table2"].frame.set_index(["sigma", "k_modes", "quantizer"])
    assert list(made["table2"].frame.columns[:4]) == ["sigma", "k_modes", "quantizer", "accuracy"]
    cell = frame.xs((2.0, 8, "identity"))
    draws = tables.accuracy.query("sigma == 2 and k_modes == 8 and quantizer == 'identity'")["accuracy"]
    assert cell["accuracy"] == pytest.approx(np.mean(draws))
    assert cell["spread"] == pytest.approx(np.std(draws, ddof=1))
    assert cell["draws"] == len(draws) == study.draws
    assert (cell["paper"], cell["difference"]) == (0.897, pytest.approx(np.mean(draws) - 0.897))
    # Neither other sigmas nor numbers of modes that the paper does not have.
    assert frame["paper"].notna().sum() == 9
    pd.testing.assert_frame_equal(table_2(study, tables.accuracy), made["table2"].frame)


def test_the_larger_validation_set_is_summarised_by_medians(made: dict[str, Figure], tables: Tables) -> None:
    frame = made["large_n"].frame
    row = frame[(frame["quantizer"] == "sign") & (frame["n_validation"] == 3000)].iloc[0]
    values = tables.large.query("quantizer == 'sign' and n_validation == 3000")["z"]
    assert (row["z_low"], row["z"], row["z_high"]) == pytest.approx(tuple(np.percentile(values, [25, 50, 75])))


def test_names_at_the_ends_of_lines_stay_apart() -> None:
    places = apart([0.0, 3.0, 4.0, 60.0, 61.0], 10.0)
    assert np.diff(places).min() >= 10 - 1e-9
    assert np.mean(places[:3]) == pytest.approx(7 / 3)
    assert apart([0.0, 100.0], 10.0) == [0.0, 100.0]
