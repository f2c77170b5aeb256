"""What the page of any study says of a verdict whose interval holds the threshold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from quantleak.report.grid import Column, Table
from quantleak.studies.common import Claim, Verdict
from quantleak.studies.common.page import Words, write_page
from quantleak.studies.vision.jobs import Vision

DOUBT = "the interval holds the threshold"
EMPTY = Table(caption="", columns=(Column(title="Stage"),), rows=())
WORDS = Words(title="A study", kicker="", question="", setup="", headlines=[], thresholds="", open_parameters=EMPTY,
              costs=EMPTY)  # fmt: skip


def written(out: Path, holds: bool, decided: bool | None) -> None:
    """The page of a study with one claim."""
    verdict = Verdict(ours=0.6, low=0.4, high=0.8, holds=holds, decided=decided)
    claim: Claim[None] = Claim(
        id="one", source="ours", claim="It is so.", threshold="at least 0.5", judge=lambda _: verdict
    )
    write_page(Vision.preset("quick"), [], [claim.judged(None)], WORDS, out)


@pytest.mark.parametrize("name", ["index.html", "summary.md"])
@pytest.mark.parametrize("holds", [True, False])
def test_doubt_is_said_beside_the_verdict_where_the_interval_holds_the_threshold(
    tmp_path: Path, holds: bool, name: str
) -> None:
    written(tmp_path, holds, decided=False)
    text = re.sub("<[^>]*>", "", (tmp_path / name).read_text())
    assert re.findall(rf"(\w+)\W*{DOUBT}", text) == ["holds" if holds else "refuted"]


@pytest.mark.parametrize("decided", [True, None])
@pytest.mark.parametrize("holds", [True, False])
def test_no_doubt_is_said_elsewhere(tmp_path: Path, holds: bool, decided: bool | None) -> None:
    written(tmp_path, holds, decided)
    (claim,) = json.loads((tmp_path / "claims.json").read_text())
    assert claim["decided"] is decided
    for name in ("index.html", "summary.md"):
        assert DOUBT not in (tmp_path / name).read_text()
