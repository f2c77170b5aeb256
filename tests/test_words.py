"""Words that another word of the field stands for; `docs/glossary.md` and CONTRIBUTING say which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INSTEAD = {
    "rival": "competitor, or runner-up",
    "keeper": "job runner",
    "shelf": "row buffer spilled to disk",
    "elements visited": "distinct quantized models",
    "accused": "false positive, or false alarm",
}
KINDS = {".py", ".md", ".rst", ".j2", ".css", ".html", ".json", ".csv", ".toml", ".cff"}
PLACES = ("src", "docs", "examples", "benchmarks", "tests", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
EXEMPT = {"tests/test_words.py", "benchmarks/compare_checkouts.py"}
"""This list, and the script that reads results of commits before it."""


def texts() -> list[Path]:
    found = [path for place in PLACES for path in [ROOT / place, *(ROOT / place).rglob("*")] if path.suffix in KINDS]
    built = {"_build", "generated", "gallery_out"}
    return [path for path in found if path.is_file() and not built & {*path.parts}]


@pytest.mark.parametrize("word", INSTEAD)
def test_the_word_of_the_field_is_used(word: str) -> None:
    pattern = re.compile(rf"\b{word}s?\b", re.IGNORECASE)
    places = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        if path.relative_to(ROOT).as_posix() not in EXEMPT
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line.replace("_", " "))
    ]
    assert not places, f"Say {INSTEAD[word]} instead of {word}."


def test_the_lint_reads_what_it_should() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in texts()}
    assert {"README.md", "src/quantleak/theory/rate.py", "src/quantleak/report/page.html.j2"} <= names
