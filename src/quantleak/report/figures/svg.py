"""Makes a drawing part of a page: it takes the page's font and colours, and has one description."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import vl_convert
from markupsafe import Markup

from quantleak.report.figures import colours

SPACE = "http://www.w3.org/2000/svg"
UNWANTED = ("role", "font-family", "class", "pointer-events", "display")


def drawn(spec: dict[str, Any], description: str) -> Markup:
    """A Vega-Lite chart as an element of a page; texts in it are escaped."""
    return Markup(themed(vl_convert.vegalite_to_svg(spec), description))


def themed(drawing: str, description: str) -> str:
    """An SVG document as an element of a page: black becomes the colour of text, the palette variables of the page.

    Widths stay as a view box, so that the drawing scales. Marks lose their own roles and labels: the table beside says
    the same in words. Empty shapes go.
    """
    ElementTree.register_namespace("", SPACE)
    root = ElementTree.fromstring(drawing)
    for parent in list(root.iter()):
        for child in [child for child in parent if _is_empty(child)]:
            parent.remove(child)
    for element in root.iter():
        element.attrib = {key: value for key, value in element.attrib.items() if _is_wanted(key)}
        for paint in ("fill", "stroke"):
            if paint in element.attrib:
                element.set(paint, colours.themed(element.attrib[paint]))
    root.attrib.pop("version", None)
    root.set("role", "img")
    root.set("aria-label", description)
    return ElementTree.tostring(root, encoding="unicode")


def quiet_axes(font: float) -> dict[str, Any]:
    """Quiet axes: everything in the colour of text, lines faint."""
    inks = {f"{part}Color": colours.INK for part in ("domain", "tick", "grid", "label", "title")}
    faint = {"domainOpacity": 0.35, "tickOpacity": 0.35, "gridOpacity": 0.09, "labelOpacity": 0.8, "titleOpacity": 0.9}
    fonts = {"labelFontSize": font - 1, "titleFontSize": font, "titleFontWeight": "normal", "titlePadding": 8}
    return {**inks, **faint, **fonts, "tickSize": 4, "labelPadding": 4}


def _is_empty(element: ElementTree.Element) -> bool:
    return element.tag == f"{{{SPACE}}}path" and element.get("class") in {"background", "foreground"}


def _is_wanted(attribute: str) -> bool:
    return attribute not in UNWANTED and not attribute.startswith("aria-")
