"""The figures of the details: what is in them, and that they are drawn without a gap."""

from xml.etree import ElementTree

import pandas as pd
import pytest

from quantleak.report.sections import modes, roc

SVG = "{http://www.w3.org/2000/svg}"


def test_a_panel_has_the_worst_attack_loss_and_guessing(make, words):
    result = make()
    made = roc.panels(result)
    assert [panel.title for panel in made] == list(words.values())
    assert {panel.attack for panel in made} == {"lira-online, adaptive"}
    data = roc.datasets(made[0])
    assert data["guess"] == [{"fpr": 0.00316, "tpr": 0.00316}, {"fpr": 1.0, "tpr": 1.0}]
    for name, attack in (("worst", "lira-online"), ("loss", "loss")):
        rows = result.roc[(result.roc["quantizer"] == "identity") & (result.roc["attack"] == attack)]
        assert [row["fpr"] for row in data[name]] == list(rows["fpr"])
        assert [row["tpr"] for row in data[name]] == [max(value, 0.00316) for value in rows["tpr"]]
        # Zero has no place on a logarithmic axis.
        assert min(row["low"] for row in data[name]) == 0.00316


def test_the_chart_is_valid_and_logarithmic():
    spec = roc.chart(0.001).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["line", "area", "line", "line"]
    for layer in spec["layer"]:
        assert {layer["encoding"][axis]["scale"]["type"] for axis in ("x", "y")} == {"log"}
        assert layer["encoding"]["x"]["scale"]["domain"] == [0.001, 1]


def test_panels_are_drawings_with_a_description(make):
    drawing, *rest = roc.drawings(roc.panels(make()))
    root = ElementTree.fromstring(drawing.svg)
    assert (drawing.title, drawing.note) == ("original", "lira-online, adaptive")
    assert root.get("aria-label") == "ROC curve of original on logarithmic axes; the table has the same numbers."
    assert not [element for element in root.iter() if element.get("id")]
    assert "NaN" not in drawing.svg
    assert len(rest) == 8


def test_without_curves_there_are_no_panels(make, case):
    result = make(case(fpr=None))
    assert roc.panels(result) == []
    assert roc.section(result).body == ("There are no curves: the examples support no false-positive rate.",)


def test_points_without_an_interval_are_drawn(make):
    result = make()
    bare = result.roc.assign(low=float("nan"), high=float("nan"))
    panel = roc.Panel(title="x", attack="y", worst=bare[:4], loss=bare[4:8], floor=0.00316)
    assert all(row["low"] == row["tpr"] == row["high"] for row in roc.datasets(panel)["worst"])
    assert roc.table([panel], "worst", "c").rows[0].cells[1].limits == ""


def test_every_mode_is_a_point_of_its_own_shape(make, words):
    result = make()
    points = modes.rows(result)
    assert [point["quantizer"] for point in points if point["mode"] == "transfer"] == list(words.values())[1:]
    spec = modes.chart(points, "Members found at 1% false alarms").to_dict()
    shapes = next(layer["encoding"]["shape"]["scale"] for layer in spec["layer"] if "shape" in layer["encoding"])
    assert len(set(shapes["range"])) == len(shapes["domain"]) == 3
    assert ElementTree.fromstring(modes.drawing(points, "AUC").svg).tag == f"{SVG}svg"


def test_where_the_worst_attack_needs_no_shadows_online_lira_is_shown(make):
    row = make().quantizers[1]
    object.__setattr__(row.worst, "mode", "none")
    object.__setattr__(row.worst, "name", "loss")
    assert {attack.name for attack in modes.attack_of(row).values()} == {"lira-online"}


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame(columns=["quantizer", "attack", "mode", "fpr"])])
def test_a_result_without_the_table_has_no_panels(make, empty):
    result = make()
    object.__setattr__(result, "roc", empty)
    assert roc.panels(result) == []
