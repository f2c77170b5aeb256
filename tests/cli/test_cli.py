"""The command as a user meets it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from quantleak.cli import VERBS

QUICK = ["--model", "linear", "--models", "4", "--epochs", "3", "--workers", "1"]
QUICK += ["--quantizer", "sign", "--quantizer", "uniform:5"]

Run = Callable[..., tuple[int, str, str]]


def test_a_table_is_audited_into_a_folder(run: Run, table: Path, tmp_path: Path) -> None:
    code, out, err = run("audit", "--data", table, "--target", "sick", *QUICK, "--out", tmp_path / "out")
    assert code == 0
    for word in ("sign", "uniform:5", "identity", "Report:", "report.html"):
        assert word in out
    assert "train and follow: 2 of 2" in err
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "run.json",
        "jobs",
        "result.json",
        "models.parquet",
        "targets.parquet",
        "roc.parquet",
        "classes.parquet",
        "exposed.parquet",
        "calibration.parquet",
        "report.html",
        "privacy-card.md",
        "privacy-card.json",
        "exposed.csv",
        "manifest.json",
    }


def test_json_is_alone_on_stdout(run: Run, table: Path, tmp_path: Path) -> None:
    code, out, err = run(
        "audit", "--data", table, "--target", "sick", *QUICK, "--out", tmp_path / "o", "--json", "--quiet"
    )
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads((tmp_path / "o" / "result.json").read_text())


def test_settings_come_from_yaml_and_flags_win(run: Run, table: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"data: {table}\ntarget: sick\nmodel: linear\nmodels: 4\nepochs: 50\n"
        f"quantizers: [sign]\nout: {tmp_path / 'o'}\n"
    )
    code, out, _ = run("audit", tmp_path / "a.yaml", "--epochs", "2", "--workers", "1", "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["settings"]["epochs"] == 2
    assert json.loads(out)["settings"]["quantizers"] == ["identity", "sign"]


def test_molecules_are_audited(run: Run, tmp_path: Path) -> None:
    groups = ["C", "CC", "CCC", "O", "OC", "N", "NC", "F", "Cl", "Br", "C#N", "CO"]
    drawn = [f"c1cc({one})ccc1{two}" for one in groups for two in groups]
    rows = [f"{smiles},{number % 2}" for number, smiles in enumerate(drawn)] + ["not a molecule,1"]
    (tmp_path / "m.csv").write_text("Drug,Y\n" + "\n".join(rows) + "\n")
    code, out, _ = run(
        "audit",
        "--data",
        tmp_path / "m.csv",
        "--smiles",
        "Drug",
        "--target",
        "Y",
        *QUICK,
        "--out",
        tmp_path / "o",
        "--json",
    )
    assert code == 0
    data = json.loads(out)["data"]
    assert (data["rows_read"], data["rows_refused"], data["refused_rows"]) == (145, 1, [145])
    assert data["duplicates_removed"] == 66  # the same ring read from its other end


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], r"Give either --data FILE --target COLUMN or --dataset NAME .* or --images FOLDER"),
        (["--images", "digits", "--dataset", "wine"], "not --images and --dataset together"),
        (["--images", "digits", "--target", "y", "--group", "g"], "own labels, .* leave out --target, --group"),
        (["--images", "{folder}/nowhere"], "There is no folder"),
        (["--images", "digits", "--image-size", "0"], "image_size: .*greater than or equal to 1"),
        (["--dataset", "wine", "--image-size", "8"], "--image-size is for images; give --images FOLDER"),
        (["--dataset", "brest_cancer"], "Did you mean 'breast_cancer'"),
        (["--dataset", "wine", "--target", "y"], "leave out --target"),
        (["--data", "{folder}/none.csv", "--target", "sick"], "none.csv"),
        (["--data", "{table}", "--target", "sik"], "Did you mean 'sick'"),
        (["--data", "{table}", "--target", "sick", "--smiles", "smiles"], "smiles"),
        (["--data", "{table}", "--target", "sick", "--task", "binry"], "Did you mean 'binary'"),
        (["--data", "{folder}/nan.csv", "--target", "y"], "row"),
        (["--data", "{folder}/one.csv", "--target", "y"], "nothing to learn"),
        (["--data", "{folder}/few.csv", "--target", "y"], "Too few examples"),
        (["--data", "{folder}/cut.parquet", "--target", "y"], "cut.parquet"),
        (["--data", "{folder}/really_parquet.csv", "--target", "y"], "Parquet"),
        (["--data", "{folder}/model.pt", "--target", "y"], "pickle"),
        (["--data", "{folder}/bad_smiles.csv", "--smiles", "Drug", "--target", "Y"], "SMILES|molecule"),
        (["--dataset", "wine", "--quantizer", "ternery:0.9"], "Did you mean 'ternary'"),
        (["--dataset", "wine", "--model", "mpl:8"], "Did you mean 'mlp'"),
        (["--dataset", "wine", "--set", "epocs=3"], "Did you mean 'epochs'"),
        (["--dataset", "wine", "--set", "epochs"], "--set takes name=value"),
        (["--dataset", "wine", "--models", "1"], "models: must be at least 2"),
        (["--dataset", "wine", "--device", "cuda:77"], "Device 'cuda:77' cannot be used"),
        (["{folder}/bad.yaml"], "modles: unknown setting. Did you mean 'models'"),
        (["{folder}/typed.yaml"], r"target: .*string(.|\n)*workers: .*greater than or equal to 1"),
        (["--dataset", "wine", "--columns", "a"], "leave out --columns"),
        (["--data", "{table}", "--target", "sick", "--columns", "age,dosis"], "Did you mean 'dose'"),
        (["{folder}/broken.yaml"], "is not YAML"),
        (["{folder}/data.csv"], "is a table, not a YAML file with settings. To audit it, write: --data"),
        (["{folder}/list.yaml"], "must hold lines such as"),
        (["{folder}/missing.yaml"], "Cannot read the settings file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_message_code_2_and_nothing_written(
    run: Run, table: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    bad_files(tmp_path)
    out = tmp_path / "out"
    code, printed, err = run("audit", *(w.format(folder=tmp_path, table=table) for w in words), "--quiet", "--out", out)
    assert code == 2, err
    assert printed == ""
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    assert re.search(message, err), err
    assert not out.exists()


def bad_files(folder: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=100), "y": np.arange(100) % 2})
    frame.head(12).to_csv(folder / "few.csv", index=False)
    frame.assign(y=1).to_csv(folder / "one.csv", index=False)
    frame.assign(x=frame["x"].where(frame.index != 6)).to_csv(folder / "nan.csv", index=False)
    frame.to_parquet(folder / "whole.parquet")
    whole = (folder / "whole.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "really_parquet.csv").write_bytes(whole)
    torch.save({"weight": torch.ones(3)}, folder / "model.pt")
    (folder / "bad_smiles.csv").write_text("Drug,Y\n" + "".join(f"{'C' * i}X%,{i % 2}\n" for i in range(1, 60)))
    (folder / "bad.yaml").write_text("dataset: wine\nmodles: 4\n")
    (folder / "typed.yaml").write_text("data: a.csv\ntarget: 5\nworkers: 0\n")
    (folder / "broken.yaml").write_text("a: [1, 2\nb: }")
    (folder / "list.yaml").write_text("- 1\n- 2\n")


def test_where_the_results_go_must_be_said(run: Run) -> None:
    assert run("audit", "--dataset", "wine")[0::2] == (2, "Error: Where should the results go? Give --out FOLDER.\n")


def test_what_an_audit_costs_is_told_without_doing_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantleak.requests.probe.ENOUGH", 0.1)
    monkeypatch.chdir(tmp_path)
    code, out, err = run("audit", "--dataset", "wine", *QUICK, "--dry-run")
    assert (code, err) == (0, "")
    for told in ("4 x linear", "Time    about", "Memory  about", "Disk    about"):
        assert told in out
    price = json.loads(run("audit", "--dataset", "wine", *QUICK, "--dry-run", "--json")[1])
    assert price["models"] == 4
    assert price["seconds"] > 0
    assert not list(tmp_path.iterdir())


def test_all_problems_are_told_at_once(run: Run, tmp_path: Path) -> None:
    code, _, err = run(
        "audit", "--dataset", "brest_cancer", "--model", "mpl:8", "--epochs", "0", "--out", tmp_path / "o"
    )
    assert code == 2
    assert err.startswith("Error: 3 problems:\n")
    for told in ("breast_cancer", "Did you mean 'mlp'", "epochs: must be at least 1"):
        assert told in err


def test_a_folder_with_another_audit_is_left_alone(run: Run, table: Path, tmp_path: Path) -> None:
    words = ["audit", "--data", table, "--target", "sick", *QUICK, "--quiet", "--out", tmp_path / "out"]
    assert run(*words)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    code, _, err = run(*words, "--seed", "7")
    assert code == 2
    assert "holds another audit; nothing was changed. It differs in: settings.seed: 0 -> 7" in err
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["quantizers", "datasets", "attacks", "models"])
def test_lists(run: Run, kind: str) -> None:
    code, out, _ = run("list", kind)
    assert code == 0
    rows = json.loads(run("list", kind, "--json")[1])
    assert len(rows) == len(out.splitlines()) >= 3
    for row in rows:
        assert row["name"] in out
        assert row["description"]


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version")[:2] == (0, "quantleak 0.1.0\n")


@pytest.mark.parametrize("verb", [[], *([verb] for verb in VERBS)])
def test_help_imports_nothing_heavy(verb: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['quantleak', *{verb}, '--help']\n"
        "from quantleak.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'rdkit', 'altair', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
