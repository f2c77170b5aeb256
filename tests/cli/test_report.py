"""The pages of a finished run are written again from its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quantleak as ql
from quantleak.cli.report import rewrite
from quantleak.errors import InputError
from quantleak.scores.attack import ScoresSettings, attack_scores
from quantleak.store import verify


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "out"
    ql.audit(
        ql.bundled("wine"), out=folder, workers=1, model="linear", models=4, epochs=2,
        quantizers=("sign", "uniform:5"),
    )  # fmt: skip
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_pages_lost_or_changed_come_back_the_same(folder: Path) -> None:
    before = contents(folder)
    (folder / "report.html").write_text("changed")
    (folder / "privacy-card.md").unlink()
    written = rewrite(folder)
    assert contents(folder) == before
    assert {"report.html", "privacy-card.md", "privacy-card.json"} <= {path.name for path in written}
    verify(folder)


def test_the_card_can_be_of_another_quantizer(folder: Path) -> None:
    before = contents(folder)
    rewrite(folder, "uniform:5")
    card = contents(folder)["privacy-card.md"]
    rewrite(folder, "sign")
    assert card != contents(folder)["privacy-card.md"]
    verify(folder)
    rewrite(folder)
    assert contents(folder) == before
    with pytest.raises(InputError, match="no quantizer"):
        rewrite(folder, "uniform:3")


def test_other_files_must_be_whole(folder: Path) -> None:
    whole = (folder / "models.parquet").read_bytes()
    (folder / "models.parquet").write_bytes(whole + b" ")
    with pytest.raises(InputError, match=r"models.parquet is damaged"):
        rewrite(folder)
    (folder / "models.parquet").write_bytes(whole)
    with pytest.raises(InputError, match="no finished audit"):
        rewrite(folder / "jobs")


def test_the_page_of_own_scores_comes_back_too(tmp_path: Path) -> None:
    scores = {"scores": np.arange(40.0), "member": np.arange(40) % 2}
    attack_scores(scores, settings=ScoresSettings()).save(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "report.html").unlink()
    assert [path.name for path in rewrite(tmp_path)] == ["report.html"]
    assert contents(tmp_path) == before
    with pytest.raises(InputError, match="leave out --quantizer"):
        rewrite(tmp_path, "sign")
