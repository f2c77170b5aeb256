"""A study is its jobs, its figures and its claims in one file: registered, it is reproduced like ours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import altair as alt
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from quantleak import InputError, studies
from quantleak.cli import app
from quantleak.engines import Runner
from quantleak.report.grid import Table
from quantleak.studies import registry
from quantleak.studies.common import Claim, Figure, Price, Study, StudySettings, Verdict, Words


@dataclass(frozen=True, kw_only=True)
class Coins(StudySettings):
    name: ClassVar[str] = "coins"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"quick": {"tosses": 50}, "paper": {}}
    parts: ClassVar[tuple[str, ...]] = ("fair",)
    stated: ClassVar[tuple[str, ...]] = ("tosses",)

    tosses: int = 400
    fair: bool = True
    seed: int = 0


@dataclass(frozen=True)
class TossJob:
    """How often heads comes up."""

    study: Coins
    number: int

    def __call__(self, shared: None = None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        random = np.random.default_rng([self.study.seed, self.number])
        return {"heads": random.random(self.study.tosses) < 0.5}, {"seconds": 0.0}


def run(study: Coins, runner: Runner) -> pd.DataFrame:
    left = runner.run("toss", {f"coin-{number}": TossJob(study, number) for number in range(3)})
    return pd.DataFrame([{"coin": key, "heads": arrays["heads"].mean()} for key, (arrays, _) in left.items()])


def figures(found: pd.DataFrame) -> list[Figure]:
    chart = alt.Chart(found).mark_bar().encode(x="coin", y="heads")
    return [Figure(name="heads", title="Heads.", caption="How often each coin shows them.", frame=found, chart=chart)]


def fair(found: pd.DataFrame) -> Verdict:
    ours = float(found["heads"].mean())
    return Verdict(ours=ours, holds=abs(ours - 0.5) < 0.2)


def words(found: pd.DataFrame, claims: Any) -> Words:
    none = Table(caption="None", columns=(), rows=())
    return Words(
        title="Coins", kicker="A study of coins", question="Are coins fair?", setup="Three coins.",
        headlines=[f"{len(claims)} claim was judged."], thresholds="Thresholds were written before the toss.",
        open_parameters=none, costs=none,
    )  # fmt: skip


CLAIM = Claim(id="fair", source="ours", claim="Coins are fair.", threshold="heads within 0.2 of 0.5", judge=fair)


def price(study: Coins, workers: int) -> Price:
    return Price(trainings=0, seconds={"toss": 1.0 / workers}, megabytes=0.0)


STUDY = Study(settings=Coins, run=run, figures=figures, claims=(CLAIM,), words=words, price=price)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    studies.register(STUDY)


def reproduce(*words: str) -> str:
    result = CliRunner().invoke(app, ["reproduce", "coins", "--quiet", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_runs_it_and_writes_its_page(tmp_path: Path) -> None:
    told = reproduce("--preset", "quick", "--set", "seed=3", "--workers", "1", "--out", str(tmp_path))
    assert "holds" in told
    (claim,) = json.loads((tmp_path / "claims.json").read_text())
    tossed = pd.read_csv(tmp_path / "figures" / "heads.csv")
    assert claim["ours"] == pytest.approx(tossed["heads"].mean(), abs=1e-5)
    page = (tmp_path / "index.html").read_text()
    assert "Are coins fair?" in page
    assert "tosses 50 (400 in the paper)" in page
    assert "quantleak reproduce coins --preset quick --set" in (tmp_path / "summary.md").read_text()
    # A second run finds its jobs done, another setting is refused.
    reproduce("--preset", "quick", "--set", "seed=3", "--workers", "1", "--out", str(tmp_path))
    with pytest.raises(InputError, match="another study"):
        STUDY.reproduce(Coins(), tmp_path, workers=1)


def test_its_price_and_its_parts_are_its_own() -> None:
    assert json.loads(reproduce("--dry-run", "--json", "--workers", "2"))["seconds"] == {"toss": 0.5}
    result = CliRunner().invoke(app, ["reproduce", "coins", "--without", "fare"])
    assert "--without takes fair, got 'fare'. Did you mean 'fair'?" in str(result.exception)


def test_names_are_listed_and_unknown_ones_refused() -> None:
    assert studies.names() == ["synthetic", "vision", "coins"]
    assert studies.study("coins") is STUDY
    assert studies.study("synthetic").name == "synthetic"
    with pytest.raises(InputError, match=r"Unknown study 'coin'; there are synthetic, vision, coins.*coins"):
        studies.study("coin")
    with pytest.raises(InputError, match="taken"):
        studies.register(STUDY)
