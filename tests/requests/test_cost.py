"""The price of an audit: its arithmetic, and that pricing leaves nothing behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import quantleak as ql
from quantleak.auditing import Settings
from quantleak.auditing.plan import make_plan
from quantleak.requests import probe
from quantleak.requests.cost import duration, estimate_cost, makespan, size


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8), st.integers(1, 4))
def test_a_makespan_lies_between_its_bounds(jobs: list[float], workers: int) -> None:
    found = makespan(jobs, workers)
    assert max(max(jobs), sum(jobs) / workers) - 1e-9 <= found <= sum(jobs) / workers + max(jobs) + 1e-9
    assert makespan(jobs, 1) == pytest.approx(sum(jobs))


@pytest.mark.parametrize(("start", "each"), [(0.0, 0.1), (2.0, 0.5), (3.0, 0.0)])
def test_a_line_is_found_again(start: float, each: float) -> None:
    line = probe.Line.through((2, start + 2 * each), (10, start + 10 * each))
    assert line(100) == pytest.approx(start + 100 * each)


def test_noise_gives_no_negative_time() -> None:
    assert probe.Line.through((2, 1.0), (4, 0.5))(100) >= 0
    assert probe.Line.through((2, 1.0), (4, 9.0)).start == 0


def test_an_audit_is_priced_and_nothing_written(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Torch makes a folder of its own once per process, wherever temporary files go then.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("torch")))
    monkeypatch.setattr(probe, "ENOUGH", 0.2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = Settings(model="linear", models=8, epochs=40, quantizers=("sign", "uniform:5"))
    cost = estimate_cost(make_plan(ql.bundled("wine"), settings), workers=2)
    assert (cost.models, cost.blocks, cost.attack_jobs, cost.workers) == (8, 4, 3, 2)
    assert 0 < cost.train < 60
    assert 0 < cost.attack < 60
    assert cost.seconds == pytest.approx(cost.train + cost.attack + cost.rest)
    # 8 models x 3 quantizers x (pool + population + test) x 8 bytes and the files.
    assert 8 * 3 * 140 * 8 < cost.disk < 4e6
    assert 1e8 < cost.memory < 1e10
    assert "8 models in 4 jobs" in str(cost)
    assert list(tmp_path.iterdir()) == []


def test_figures_in_words() -> None:
    assert (duration(3.4), duration(600.0), duration(7200.0)) == ("3 s", "10.0 min", "2.0 h")
    assert size(1_500_000_000) == "1.5 GB"
