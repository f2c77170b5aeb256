"""What the verbs print, and with which exit code, on runs made once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

import quantleak as ql

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verbs") / "out"
    ql.audit(
        ql.bundled("breast_cancer"), out=folder, workers=1, model="linear", models=4, epochs=3,
        quantizers=("sign", "uniform:5"),
    )  # fmt: skip
    return folder


def test_a_gate_is_met_or_not(run: Run, audited: Path, tmp_path: Path) -> None:
    files = ["--summary", tmp_path / "gate.md", "--junit", tmp_path / "gate.xml"]
    code, out, err = run("gate", audited, "--max-tpr", "0.1:1", "--max-auc", "1", *files)
    assert (code, err) == (0, "")
    assert "Gate met: all 6 checks passed." in out
    assert (tmp_path / "gate.md").read_text().startswith("## Gate met")
    code, out, _ = run("gate", audited, "--max-auc", "0.51", "--quantizer", "sign", "--json")
    assert code == 3
    told = json.loads(out)
    assert (told["passed"], [check["quantizer"] for check in told["checks"]]) == (False, ["sign"])
    code, out, err = run("gate", audited, "--max-tpr", "0.01")
    assert (code, out) == (2, "")
    assert "takes FPR:LIMIT" in err


def test_a_rate_without_support_is_not_met(run: Run, audited: Path) -> None:
    code, out, _ = run("gate", audited, "--max-tpr", "0.001:0.5")
    assert code == 3
    assert "FPR 0.001 needs 4999 non-members per target, there are 1" in out


def test_comparisons(run: Run, audited: Path) -> None:
    code, out, err = run("compare", audited, audited)
    assert (code, err) == (0, "")
    assert out.startswith("No difference found.")
    told = json.loads(run("compare", audited, audited, "--quantizer", "sign", "--against", "uniform:5", "--json")[1])
    assert [row["measure"] for row in told["rows"]] == [
        "AUROC",
        "worst TPR at 10% FPR",
        "AUC of the worst attack",
        "r_Q",
    ]
    assert told["rows"][1]["method"] == "paired"
    assert run("compare", audited, audited, "--against", "sign")[0] == 2


def test_pages_are_named(run: Run, audited: Path) -> None:
    code, out, _ = run("report", audited)
    assert code == 0
    assert out.splitlines()[0] == str(audited / "report.html")
    assert str(audited / "report.html") in json.loads(run("report", audited, "--json")[1])["pages"]
    assert run("report", audited / "jobs")[0] == 2


def test_own_scores_are_attacked_gated_reported_and_cited(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    member = random.random((24, 300)) < 0.5
    signals = member + random.normal(size=member.shape)
    arrays = {"target": signals[0], "target_member": member[0], "shadows": signals[1:], "shadows_member": member[1:]}
    np.savez(tmp_path / "scores.npz", **arrays)
    out = tmp_path / "out"
    code, text, err = run("attack", tmp_path / "scores.npz", "--out", out)
    assert (code, err) == (0, "")
    assert "The strongest attack" in text
    assert {path.name for path in out.iterdir()} == {
        "run.json", "jobs", "result.json", "attacks.parquet", "examples.parquet", "report.html", "manifest.json",
    }  # fmt: skip
    again = run("attack", tmp_path / "scores.npz", "--out", out, "--json")
    assert json.loads(again[1]) == json.loads((out / "result.json").read_text())
    assert run("attack", tmp_path / "scores.npz", "--out", out, "--set", "seed=1")[0] == 2
    assert run("gate", out, "--max-auc", "0.55")[0] == 3
    assert "give folders of `quantleak audit`" in run("compare", out, out)[2]
    assert run("report", out)[1] == f"{out / 'report.html'}\n"
    assert "carlini2022membership" in run("cite", out)[1]
    assert "aubinais2025membership" not in run("cite", out)[1]
    arrays["target"] = np.full(300, np.nan)
    np.savez(tmp_path / "bad.npz", **{name: array for name, array in arrays.items() if name != "shadows"})
    code, text, err = run("attack", tmp_path / "bad.npz", "--out", tmp_path / "other")
    assert (code, text) == (2, "")
    assert "shadows is missing" in err
    assert "target has 300 NaN" in err
    assert not (tmp_path / "other").exists()


def test_works_are_cited(run: Run, audited: Path) -> None:
    assert run("cite")[1].count("@") >= 6
    works = json.loads(run("cite", audited, "--json")[1])
    assert works[0]["key"] == "quantleak"
    assert all(work["bibtex"].startswith("% ") for work in works)


def test_a_settings_file_is_begun_checked_and_used(run: Run, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    words = ["init", path, "--data", table, "--target", "sick", "--out", tmp_path / "out"]
    code, out, _ = run(*words)
    assert code == 0
    assert f"quantleak audit {path}" in out
    assert run(*words)[0] == 2
    code, out, _ = run("validate", path)
    assert code == 0
    assert "patients.csv: binary" in out
    assert json.loads(run("validate", path, "--json")[1])["models"] == 64
    content = yaml.safe_load(path.read_text()) | {"models": 4, "epochs": 2, "quantizers": ["sign"]}
    path.write_text(yaml.safe_dump(content | {"model": "linear", "workers": 1}))
    code, out, _ = run("audit", path, "--quiet", "--json")
    assert code == 0
    assert json.loads(out)["settings"]["models"] == 4


def test_everything_wrong_with_a_settings_file_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("dataset: win\nmodles: 4\nmodel: mpl:8\ndevice: abacus\nlevel: 2\nworkers: none\n")
    code, out, err = run("validate", path, "--json")
    assert (code, out) == (2, "")
    for told in ("'wine'", "'models'", "'mlp'", "abacus", "level: must lie between", "workers: "):
        assert told in err


def test_the_log_is_shown_on_demand(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    log = logging.getLogger("quantleak")
    monkeypatch.setattr(log, "handlers", list(log.handlers))
    monkeypatch.setattr(log, "level", log.level)
    np.savez(tmp_path / "s.npz", target=np.arange(40.0), target_member=np.arange(40) % 2, shadows=np.zeros((3, 40)),
             shadows_member=np.zeros((3, 40)))  # fmt: skip
    code, _, err = run("--verbose", "attack", tmp_path / "s.npz", "--out", tmp_path / "out")
    assert code == 0
    assert "lira-online cannot run" in " ".join(err.split())
