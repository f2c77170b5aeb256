"""An engine of one's own: it runs jobs in reverse order, and an audit on it gives the same numbers."""

from __future__ import annotations

import json
import pickle
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

import quantleak as ql
from quantleak.engines import Job
from quantleak.testing import check_engine

AUDIT = {"model": "mlp:8", "models": 8, "epochs": 3, "block": 2, "quantizers": ("sign", "uniform:4")}


class Reverse:
    """Runs jobs one after another in this process, the last first."""

    def run(self, jobs: Mapping[str, Job], shared: Any = None) -> Generator[tuple[str, Any]]:
        copied = pickle.loads(pickle.dumps(shared))
        yield from ((key, jobs[key](copied)) for key in reversed(jobs))


def figures(folder: Path) -> dict[str, Any]:
    """Every file of numbers in a folder, without times."""
    result = json.loads((folder / "result.json").read_text())
    tables = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    return {"result": {name: value for name, value in result.items() if name != "timings"}, **tables}


def test_the_engine_does_what_every_engine_must() -> None:
    check_engine(Reverse)


def test_an_audit_gives_the_same_numbers(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    ql.audit(ql.bundled("breast_cancer"), out=tmp_path / "local", workers=1, **AUDIT)
    ql.audit(
        ql.bundled("breast_cancer"),
        out=tmp_path / "reverse",
        engine=Reverse(),
        progress=lambda *news: told.append(news),
        **AUDIT,
    )
    assert ("train and follow", 4, 4) in told
    found = figures(tmp_path / "reverse")
    assert len(found) > 3
    assert found == figures(tmp_path / "local")


def test_workers_are_a_setting_of_the_local_engine() -> None:
    with pytest.raises(ql.InputError, match="either workers or engine"):
        ql.audit(ql.bundled("wine"), engine=Reverse(), workers=2)
