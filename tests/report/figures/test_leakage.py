"""The figure: what is in it, and what it becomes."""

from xml.etree import ElementTree

import pytest

from quantleak.report.figures.leakage import NARROW, WIDE, leakage_chart, leakage_svg
from quantleak.report.figures.points import points_of

SVG = "{http://www.w3.org/2000/svg}"


def layers(chart):
    """Marks with their data, in the order of drawing."""
    spec = chart.to_dict()
    for layer in spec["layer"]:
        data = layer["data"].get("values") or spec.get("datasets", {}).get(layer["data"].get("name"), [])
        yield layer["mark"], layer["encoding"], data


def by(chart, **wanted):
    return [
        (mark, encoding, data)
        for mark, encoding, data in layers(chart)
        if all(mark.get(key) == value for key, value in wanted.items())
    ]


def test_every_quantizer_is_a_point_with_bars_both_ways(make, words):
    result = make()
    chart = leakage_chart(points_of(result))
    dots = [row for _, _, data in by(chart, type="point", shape="circle", filled=True) for row in data]
    assert {row["quantizer"]: (row["utility"], row["leakage"]) for row in dots} == {
        words[row.spec]: (row.utility.value, row.worst.value) for row in result.quantizers if row.spec != "identity"
    }
    bars = [(encoding, data) for _, encoding, data in by(chart, type="rule")]
    across = next(data for encoding, data in bars if encoding.get("x2", {}).get("field") == "utility_high")
    along = next(data for encoding, data in bars if encoding.get("y2", {}).get("field") == "leakage_high")
    for row, quantizer in zip(across, result.quantizers, strict=True):
        assert (row["utility_low"], row["utility_high"]) == (quantizer.utility.low, quantizer.utility.high)
    for row, quantizer in zip(along, result.quantizers, strict=True):
        assert (row["leakage_low"], row["leakage_high"]) == (quantizer.worst.low, quantizer.worst.high)


def test_the_original_has_a_shape_of_its_own_and_the_recommended_a_ring(make):
    chart = leakage_chart(points_of(make()))
    (diamond,) = by(chart, type="point", shape="diamond")
    assert [row["quantizer"] for row in diamond[2]] == ["original"]
    (ring,) = by(chart, type="point", shape="circle", filled=False)
    assert [row["quantizer"] for row in ring[2]] == ["90% sparse"]


def test_the_front_is_a_dashed_line_of_steps(make):
    ((mark, _, data),) = by(leakage_chart(points_of(make())), type="line")
    assert mark["strokeDash"]
    assert mark["interpolate"] == "step-before"
    assert {row["quantizer"] for row in data} == {"90% sparse", "3 bits", "4 bits", "5 bits"}


def test_chance_has_a_line(make, case):
    for fpr, chance in ((0.01, 0.01), (None, 0.5)):
        rules = by(leakage_chart(points_of(make(case(fpr=fpr)))), type="rule", strokeDash=[1, 3])
        assert [row["leakage"] for _, _, data in rules for row in data] == [chance]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda size: size.name)
def test_every_name_is_written_once_inside_the_plot(make, words, size):
    chart = leakage_chart(points_of(make()), size)
    names = [row for _, encoding, data in by(chart, type="text") if encoding["x"].get("field") == "x" for row in data]
    assert sorted(row["text"] for row in names) == sorted(words.values())
    assert all(0 < row["x"] < size.width and 0 < row["y"] < size.height for row in names)


def test_axes_say_what_is_better(make, case):
    _, encoding, _ = by(leakage_chart(points_of(make(case(metric="r2", fpr=0.1)))), type="point", shape="diamond")[0]
    assert encoding["x"]["axis"]["title"] == "R² (right is better)"
    assert encoding["y"]["axis"]["title"] == "Members found at 10% false alarms (lower is better)"


def test_as_svg_it_takes_the_colours_and_the_font_of_the_page(make):
    root = ElementTree.fromstring(leakage_svg(points_of(make())))
    paints = {element.get(name) for element in root.iter() for name in ("fill", "stroke")} - {None}
    assert paints <= {
        "none",
        "transparent",
        "currentColor",
        "var(--original, #D55E00)",
        "var(--quantizer, #0072B2)",
        "var(--chosen, #009E73)",
        "var(--paper, #FFFFFF)",
    }
    assert "currentColor" in paints
    assert not any(element.get("font-family") for element in root.iter())
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert root.get("viewBox")


def test_the_svg_holds_drawing_and_text_only(make):
    row = ('"><script>alert(1)</script>\x00', 2.0, 0.8, 0.05, 0.6, 1e-3)
    root = ElementTree.fromstring(leakage_svg(points_of(make(rows=(row,)))))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "g", "path", "line", "text", "rect"}
    assert any("<script>" in (element.text or "") for element in root.iter(f"{SVG}text"))
    assert not any("href" in key for element in root.iter() for key in element.attrib)


def test_one_point_or_equal_points_can_be_drawn(make, case):
    row = ("sign", 1.0, 0.5, 0.0, 0.5, None)
    for rows in ((row,), (row, ("uniform:2", *row[1:]))):
        drawing = points_of(make(case(intervals=False), rows))
        assert leakage_svg(drawing).startswith("<svg")
