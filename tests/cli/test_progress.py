from __future__ import annotations

import pytest

from quantleak.cli.progress import Progress


def test_overlapping_stages_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for told in [("train", 0, 3), ("train", 1, 3), ("draw", 1, 1), ("train", 2, 3), ("train", 3, 3)]:
            progress(*told)
    assert capsys.readouterr().err.splitlines() == ["train: 0 of 3", "draw: 1 of 1", "train: 3 of 3"]


def test_the_time_left_is_that_of_the_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 20.0, 60.0, 80.0])
    monkeypatch.setattr("quantleak.cli.progress.time.monotonic", lambda: next(clock))
    with Progress() as progress:
        for told in [("train", 2, 10), ("train", 4, 10), ("draw", 0, 5), ("draw", 1, 5)]:
            progress(*told)
    assert capsys.readouterr().err.splitlines() == [
        "train: 2 of 10", "train: 4 of 10, 60 s left", "draw: 0 of 5", "draw: 1 of 5, 80 s left",
    ]  # fmt: skip


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        progress("train", 0, 3)
    assert capsys.readouterr().err == ""
