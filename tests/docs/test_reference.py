"""The reference knows every public name, and its extensions write what they should."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

import quantleak as ql
from quantleak.cli import app

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = Path(ql.__file__).parent
INNER = {"cli", "studies"}
"""Rooms that are used through the command only."""


def extension(name: str) -> ModuleType:
    """One of the files in docs/_ext."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "_ext" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documented() -> set[str]:
    """Modules that have a page."""
    return {
        found[1]
        for page in (DOCS / "api").glob("*.rst")
        for found in re.finditer(r"^\.\. room:: (\S+)", page.read_text(), re.MULTILINE)
    }


def test_every_room_has_a_page() -> None:
    rooms = {path.name.removesuffix(".py") for path in SOURCE.iterdir() if not path.name.startswith("_")}
    assert {f"quantleak.{room}" for room in rooms - INNER - {"py.typed"}} <= documented()


@pytest.mark.parametrize("name", ql.__all__)
def test_every_public_name_is_on_the_page_of_its_room(name: str) -> None:
    if name in ql._MODULES:
        assert f"quantleak.{name}" in documented()
        return
    home = ql._HOME[name]
    assert home in documented()
    assert name in extension("room").public_names(home)


def test_a_room_offers_what_its_table_of_contents_imports() -> None:
    room = extension("room")
    names = room.public_names("quantleak.quantizers")
    assert {"Quantizer", "quantizer", "PAPER_A"} <= set(names)
    assert "annotations" not in names
    assert room.public_names("quantleak.errors") == ["InputError", "nearest"]
    for module in documented() - {"quantleak.lightning", "quantleak.hf"}:
        found = importlib.import_module(module)
        assert all(hasattr(found, name) for name in room.public_names(module))


def test_docstrings_keep_stars_bars_formulas_and_citations() -> None:
    lines = [
        "Tensor [*batch, levels], |x| and `[*batch]`, $a^2$ of [Carlini2022].",
        "",
        ".. math:: |x| * y",
        "",
        "   |y|",
        "Again |z|.",
    ]
    extension("room").translate(None, "function", "f", None, None, lines)
    assert (
        lines[0] == r"Tensor [\*batch, levels], \|x\| and `[*batch]`, :math:`a^2` of [Carlini2022]_." or "$" in lines[0]
    )
    assert lines[2:] == [".. math:: |x| * y", "", "   |y|", r"Again \|z\|."]


@pytest.mark.parametrize(
    ("tex", "inside"),
    [
        (r"\frac12", ["1", "2"]),
        (r"\frac1N", ["1", "N"]),
        (r"c_1, \dots, c_K", ["c", "1", ",", "…", ",", "c", "K"]),
        (r"\hat\theta_n", ["θ", "ˆ", "n"]),
    ],
)
def test_formulas_become_mathml(tex: str, inside: list[str]) -> None:
    written = ElementTree.fromstring(extension("mathml").to_mathml(tex))
    assert [text.strip() for text in written.itertext() if text.strip()] == inside


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_formula_of_a_page_can_be_drawn(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    shown = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    inline = re.findall(r"\$([^$\n]+)\$", re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL))
    for formula in (*shown, *inline):
        assert "<math" in extension("mathml").to_mathml(formula)


def test_an_index_stands_beside_an_accented_letter() -> None:
    assert "<munder>" not in extension("mathml").to_mathml(r"\bar\theta_1 \hat a_{max}")


def test_the_reference_of_the_command_has_every_verb_its_flags_and_its_examples() -> None:
    import typer

    text = "\n".join(extension("verbs").reference())
    for name, command in typer.main.get_command(app).commands.items():
        assert f"\nquantleak {name}\n" in text
        for parameter in command.params:
            if parameter.opts[0].startswith("--") and parameter.name != "help":
                assert f"``{parameter.opts[0]}``" in text
    assert "   quantleak audit --dataset breast_cancer --out out/breast_cancer" in text


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(DOCS), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html" / "mathematics.html").read_text()
    assert "<math" in page
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?:https?:)?//", page)
