"""Every example that a `--help` ends in is run, on data made up for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quantleak.cli import VERBS
from quantleak.cli.endings import EXAMPLES

Run = Callable[..., tuple[int, str, str]]
QUICK = ["--model", "linear", "--models", "4", "--epochs", "2", "--workers", "1"]
QUICK += [f"--quantizer={spec}" for spec in ("sign", "uniform:4", "uniform:5", "ternary:0.9")]
SMALLER = {"audit": [*QUICK, "--quiet"], "reproduce": ["--dry-run"]}
"""What is added to an example to make it short; what it says for itself is kept but for these sizes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files lie that examples speak of."""
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.normal(size=200), "sick": np.arange(200) % 2})
    frame.to_csv(folder / "patients.csv", index=False)
    groups = ["C", "CC", "CCC", "O", "OC", "N", "NC", "F", "Cl", "Br", "C#N", "CO"]
    smiles = [f"c1cc({one})ccc1{two}" for one in groups for two in groups]
    pd.DataFrame({"Drug": smiles, "Y": np.arange(len(smiles)) % 2}).to_csv(folder / "AMES.csv", index=False)
    member = random.random((12, 200)) < 0.5
    signals = member + random.normal(size=member.shape)
    np.savez(
        folder / "SCORES.npz",
        target=signals[0],
        target_member=member[0],
        shadows=signals[1:],
        shadows_member=member[1:],
    )
    return folder


def test_every_example_runs(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = ["audit", "--dataset", "breast_cancer", "--seed", "1", "--out", "out/before", *SMALLER["audit"]]
    assert run(*before)[0] == 0
    # In the order in which a user comes to them: what one verb writes, the next one reads.
    order = ["init", "validate", "audit", *sorted(set(VERBS) - {"init", "validate", "audit"})]
    for verb in order:
        for example in EXAMPLES[verb]:
            program, *words = shlex.split(example)
            code, out, err = run(*words, *SMALLER.get(verb, []))
            assert program == "quantleak"
            assert code in ((0, 3) if verb == "gate" else (0,)), f"{example}\n{err}"
            assert out, example


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_ends_in_two_examples(run: Run, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = run(verb, "--help")
    assert code == 0
    *_, first, second = [line.strip() for line in out.splitlines() if line.strip()]
    assert (first, second) == EXAMPLES[verb]
    assert "Exit codes: 0 fine" in out
    assert ("3 the privacy gate is not met" in " ".join(out.split())) == (verb == "gate")
    assert re.search(r"--json\b", out)
