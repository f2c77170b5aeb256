"""A folder like that of a reader, and audits cut down to seconds."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import quantleak as ql
from quantleak import auditing

SMALLER = {"models": 4, "epochs": 2}
QUANTIZERS = ("sign", "uniform:4")
"""The rule: audits on these pages run with these sizes, with these quantizers unless they name some, in one process.

Nothing else of a block or a command is changed.
"""

_audit = auditing.audit


def smaller(dataset: ql.Dataset, settings: ql.Settings | None = None, **given: object) -> ql.AuditResult:
    """`ql.audit` by the rule."""
    return _audit(dataset, settings, **{"quantizers": QUANTIZERS, **given, **SMALLER, "workers": 1})


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `out` with an audit of breast_cancer, and one of another seed."""
    out = tmp_path_factory.mktemp("docs") / "out"
    smaller(ql.bundled("breast_cancer"), out=out / "breast_cancer")
    smaller(ql.bundled("breast_cancer"), seed=1, out=out / "before")
    return out


def write_patients(folder: Path) -> None:
    """Rows of made-up patients."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(240, 4)), columns=["age", "pulse", "weight", "iron"]).round(3)
    frame["smoker"] = rng.choice(["yes", "no"], 240)
    frame["clinic"] = rng.integers(0, 90, 240)
    frame["sick"] = (frame.age + rng.normal(size=240) > 0).astype(int)
    frame.to_csv(folder / "patients.csv", index=False)


def write_molecules(folder: Path) -> None:
    """Made-up molecules in the columns of AMES."""
    groups = ["C", "CC", "O", "OC", "N", "NC", "C#N", "Cl", "F", "CCO"]
    smiles = [f"c1cc({a})ccc1{b}" for a, b in itertools.product(groups, repeat=2)]
    smiles += [f"c1cc({a})ncc1{b}" for a, b in itertools.product(groups, repeat=2)]
    frame = pd.DataFrame({"Drug_ID": range(len(smiles)), "Drug": smiles, "Y": [int("N" in text) for text in smiles]})
    frame.to_csv(folder / "AMES.csv", index=False)


@pytest.fixture
def reader(tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """The folder in which a reader types: data of his own, and an audit that is done."""
    write_patients(tmp_path)
    write_molecules(tmp_path)
    shutil.copytree(finished, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(auditing, "audit", smaller)
    return tmp_path


@pytest.fixture
def smaller_command() -> Callable[[tuple[str, ...]], list[str]]:
    """`quantleak audit` by the rule, `quantleak reproduce` as `--dry-run`; every other command as it is."""

    def change(words: tuple[str, ...]) -> list[str]:
        if words[:2] == ("quantleak", "reproduce"):
            return [*words, "--dry-run"]
        if words[:2] != ("quantleak", "audit"):
            return list(words)
        found = list(words)
        for name in ("models", "epochs"):
            flag = f"--{name}"
            place = found.index(flag) + 1 if flag in found else len(found) + 1
            found[place - 1 : place + 1] = [flag, str(SMALLER[name])]
        found += [] if "--quantizer" in found else [part for q in QUANTIZERS for part in ("--quantizer", q)]
        return [*found, "--workers", "1", "--quiet"]

    return change
