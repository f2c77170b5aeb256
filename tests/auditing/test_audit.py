"""The main job end to end on small real data: the same figures however it is run, and numbers that can be checked."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics
from torch import nn

import quantleak as ql
from quantleak.auditing import Settings
from quantleak.auditing.block import BlockJob
from quantleak.auditing.plan import make_plan
from quantleak.errors import InputError
from quantleak.fleet import TRAINERS
from quantleak.report.sections import exposed
from quantleak.results import PAGES
from quantleak.store import write_manifest

SMALL: dict[str, Any] = {
    "model": "mlp:8", "models": 6, "epochs": 6, "optimizer": "adam:1e-2",
    "quantizers": ("ternary:0.5", "uniform:5"),
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ql.AuditResult]:
    folder = tmp_path_factory.mktemp("audit") / "out"
    return folder, ql.audit(ql.bundled("breast_cancer"), out=folder, workers=1, **SMALL)


def figures(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "result.json").read_text())
    content.pop("timings")
    return content | {name: pd.read_parquet(folder / f"{name}.parquet").to_csv() for name in ql.AuditResult.TABLES}


def test_the_result_says_everything_about_every_quantizer(small: tuple[Path, ql.AuditResult]) -> None:
    _, result = small
    assert [r.spec for r in result.quantizers] == ["identity", "ternary:0.5", "uniform:5"]
    five = result["uniform:5"]
    assert five.utility.metric == "auroc"
    assert 0.9 < five.utility.low <= five.utility.value <= five.utility.high <= 1
    assert five.rate.value > 0
    assert 2 <= five.rate.elements <= 6
    chance = five.rate.more_private_than["ternary:0.5"]
    assert chance + result["ternary:0.5"].rate.more_private_than["uniform:5"] == pytest.approx(1)
    assert {(a.name, a.mode) for a in five.attacks if a.name == "lira-online"} == {
        ("lira-online", mode) for mode in ("adaptive", "transfer", "recalibrated")
    }
    assert all(0 <= a.auc.low <= a.auc.value <= a.auc.high <= 1 for a in five.attacks)
    assert result["identity"].rate.reason == "not a discrete set of parameters"
    assert {a.mode for a in result["identity"].attacks if a.via is None} == {"none", "adaptive"}
    assert result.recommended.reason
    # Some 140 of the pool's 284 examples are non-members of a target: 10% is supported, 1% is not.
    assert five.worst.fpr == 0.1
    assert five.attacks[0].tpr["0.01"].value is None
    assert "FPR 0.01 needs 499 non-members per target" in (five.attacks[0].tpr["0.01"].reason or "")
    assert five.attacks[0].ppv["0.1"]["0.01"].value < five.attacks[0].ppv["0.1"]["0.5"].value


def test_it_is_saved_and_loaded_whole(small: tuple[Path, ql.AuditResult]) -> None:
    folder, result = small
    loaded = ql.AuditResult.load(folder)
    assert loaded.to_dict() == result.to_dict()
    for name in ql.AuditResult.TABLES:
        # Eight models are too few to show that a single example is exposed, and these quantizers read no data.
        assert bool(len(getattr(result, name))) == (name not in ("exposed", "calibration")), name
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(result, name))
    assert loaded.recommended.versus == result.recommended.versus
    pd.testing.assert_frame_equal(loaded.to_frame(), result.to_frame())
    assert json.loads((folder / "result.json").read_text())["schema"] == 3
    assert (folder / "report.html").stat().st_size > 1000


def test_the_pages_can_be_written_from_the_folder_alone(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    folder, _ = small
    ql.AuditResult.load(folder).write_pages(tmp_path)
    for name in PAGES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert set(json.loads((folder / "manifest.json").read_text())["files"]) >= set(PAGES)


def test_what_is_told_of_curves_certificates_and_exposed_rows(small: tuple[Path, ql.AuditResult]) -> None:
    folder, result = small
    data = ql.bundled("breast_cancer")
    pool = data.rows[make_plan(data, Settings(**SMALL)).parts.pool]
    assert set(result.exposed["row"]) <= set(pool)
    for row in result.quantizers:
        curve = result.roc[(result.roc["quantizer"] == row.spec) & (result.roc["attack"] == row.worst.name)]
        here = curve[(curve["mode"] == row.worst.mode) & (curve["fpr"] == row.worst.fpr)]
        assert here["tpr"].tolist() == [row.worst.value]
    assert set(result.classes["class"]) == {"malignant", "benign"}
    assert result["uniform:5"].cramer.certified <= result["uniform:5"].cramer.certificates == 6
    listed = pd.read_csv(folder / "exposed.csv")
    assert set(listed.columns) == set(exposed.COLUMNS)
    assert result.timings["processes"] == 1


def test_exposed_rows_are_those_of_the_users_file(tmp_path: Path) -> None:
    """Rows refused and removed as duplicates are counted too, the header is not."""
    heads = ("CC", "OCC", "NCC", "ClCC", "c1ccccc1", "c1ccncc1", "C1CCCCC1", "BrCC")
    middles, tails = (
        ("C(=O)", "C(F)", "CS", "CO", "C(C)", "CN"),
        ("CC#N", "CC", "CCl", "c1ccccc1", "CCO", "CBr", "C1CC1"),
    )
    made = ["".join(parts) for parts in itertools.product(heads, middles, tails)]
    smiles = ["not a molecule", made[0], *made]  # row 1 is refused, row 2 stands for row 3 too
    frame = pd.DataFrame({"Drug": smiles, "Y": [k % 2 for k in range(len(smiles))]})
    frame.to_csv(tmp_path / "own.csv", index=False)
    noise = SMALL | {"models": 32, "epochs": 80, "optimizer": "adam:1e-2", "model": "mlp:64"}
    result = ql.audit(ql.read_molecules(tmp_path / "own.csv", "Drug", "Y"), workers=1, **noise)
    assert len(result.exposed)
    assert 1 not in set(result.exposed["row"])
    assert 3 not in set(result.exposed["row"])
    assert result.exposed["row"].between(2, len(smiles)).all()
    assert not [text for text in smiles if f",{text}" in exposed.csv(result)]


def test_folders_of_another_version_are_refused(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    folder, result = small
    old = tmp_path / "old"
    old.mkdir()
    kept = ["result.json", "models.parquet", "targets.parquet"]
    for name in kept:
        shutil.copy(folder / name, old / name)
    write_manifest(old, kept, result.id)
    with pytest.raises(InputError, match=r"written by another version of quantleak; audit again into another folder"):
        ql.AuditResult.load(old)


def test_a_finished_audit_is_answered_from_its_folder(small: tuple[Path, ql.AuditResult]) -> None:
    folder, result = small
    start = time.perf_counter()
    again = ql.audit(ql.bundled("breast_cancer"), out=folder, workers=1, **SMALL)
    assert again.to_dict() == result.to_dict()
    assert time.perf_counter() - start < 5


def test_workers_and_disk_change_no_figure(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    folder, result = small
    ql.audit(ql.bundled("breast_cancer"), out=tmp_path / "two", workers=2, **SMALL)
    assert figures(tmp_path / "two") == figures(folder)
    unkept = ql.audit(ql.bundled("breast_cancer"), workers=1, **SMALL)
    assert unkept.quantizers == result.quantizers


def test_a_stopped_audit_goes_on_where_it_was(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        if (stage, done) == ("train and follow", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ql.audit(ql.bundled("breast_cancer"), out=tmp_path / "out", workers=1, progress=stop, **SMALL)
    seen.clear()
    ql.audit(
        ql.bundled("breast_cancer"), out=tmp_path / "out", workers=1, progress=lambda *told: seen.append(told), **SMALL
    )
    assert seen[0] == ("train and follow", 1, 3)
    assert figures(tmp_path / "out") == figures(small[0])


def test_a_killed_command_goes_on_where_it_was(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = [f"--set={name}={value}" for name, value in SMALL.items() if name != "quantizers"]
    command = [sys.executable, "-c", "from quantleak.cli import main; main()", "audit", "--dataset", "breast_cancer"]
    command += [*flags, "--quantizer", "ternary:0.5", "--quantizer", "uniform:5", "--workers", "1", "--out", str(out)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(out.glob("jobs/block-*.npz")):
        assert running.poll() is None, "the audit ended before it could be killed"
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not (out / "manifest.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Report:" in done.stdout
    assert figures(out) == figures(small[0])


def test_damaged_final_files_are_written_anew(small: tuple[Path, ql.AuditResult]) -> None:
    folder, result = small
    path = folder / "models.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"models.parquet is damaged"):
        ql.AuditResult.load(folder)
    again = ql.audit(ql.bundled("breast_cancer"), out=folder, workers=1, **SMALL)
    assert again.quantizers == result.quantizers
    assert path.read_bytes() == whole


def test_other_settings_do_not_touch_the_folder(small: tuple[Path, ql.AuditResult]) -> None:
    folder, _ = small
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"holds another audit; nothing was changed.*settings.epochs: 6 -> 7"):
        ql.audit(ql.bundled("breast_cancer"), out=folder, workers=1, **(SMALL | {"epochs": 7}))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_final_models_and_their_signals_are_those_of_a_plain_module() -> None:
    plan = make_plan(ql.bundled("breast_cancer"), Settings(**SMALL))
    output = BlockJob((0, 1))(plan)
    block = plan.fleet().blocks()[0]
    flat = list(TRAINERS["stacked"].train(block))[-1].flat
    module = plan.network.module(0)
    for model in range(2):
        nn.utils.vector_to_parameters(flat[model], module.parameters())
        features, targets = plan.part("pool")
        with torch.no_grad():
            logits = module(torch.from_numpy(features))[:, 0].double().numpy()
        np.testing.assert_allclose(output.pool[model, 0], np.where(targets == 1, logits, -logits), rtol=1e-4, atol=1e-5)


def test_utility_is_the_mean_auroc_of_the_final_models(small: tuple[Path, ql.AuditResult]) -> None:
    _, result = small
    plan = make_plan(ql.bundled("breast_cancer"), Settings(**SMALL))
    outputs = [BlockJob(block.models)(plan) for block in plan.fleet().blocks()]
    logits = np.concatenate([output.test for output in outputs])[:, 2]
    expected = np.mean([metrics.roc_auc_score(plan.part("test")[1], row) for row in logits])
    assert result["uniform:5"].utility.value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_other_tasks(name: str) -> None:
    result = ql.audit(ql.bundled(name), workers=1, **(SMALL | {"models": 4, "epochs": 30}))
    assert result.task == {"wine": "multiclass", "diabetes": "regression"}[name]
    original = result["identity"]
    assert original.utility.metric == {"wine": "accuracy", "diabetes": "r2"}[name]
    assert (original.utility.also.keys() == {"spearman"}) == (name == "diabetes")
    assert original.utility.value > 0.2
    assert json.dumps(result.to_dict(), allow_nan=False)


def test_too_few_models_for_an_attack_stop_only_that_attack() -> None:
    result = ql.audit(ql.bundled("breast_cancer"), workers=1, **(SMALL | {"models": 2}))
    by_name = {(a.name, a.mode): a for a in result["identity"].attacks}
    assert by_name["loss", "none"].auc.value is not None
    refused = by_name["lira-online", "adaptive"]
    assert refused.auc.value is None
    assert "IN" in (refused.reason or "")
    assert "Train at least" in (refused.reason or "")


def test_real_valued_biases_leave_no_discrete_set() -> None:
    options = SMALL | {"models": 4, "epochs": 2, "unquantized_dtype": "float32"}
    result = ql.audit(ql.bundled("breast_cancer"), workers=1, **options)
    assert result["uniform:5"].rate.value is None
    assert result["uniform:5"].rate.reason == "not a discrete set of parameters"


def test_ones_own_module_is_audited_and_the_trainer_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_models.py").write_text(
        "from torch import nn\ndef build(shape, outputs):\n"
        "    return nn.Sequential(nn.Linear(shape[0], 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, outputs))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    options = SMALL | {"models": 4, "epochs": 2, "model": "own_models:build"}
    result = ql.audit(ql.bundled("breast_cancer"), workers=1, out=tmp_path / "out", **options)
    assert result.settings["trainer"] in {"vmap", "serial"}
    again = ql.audit(ql.bundled("breast_cancer"), workers=1, out=tmp_path / "out", **options)
    assert again.quantizers == result.quantizers
    source = tmp_path / "own_models.py"
    source.write_text(source.read_text().replace("nn.Tanh()", "nn.ReLU()"))
    sys.modules.pop("own_models")
    with pytest.raises(InputError, match="holds another audit; nothing was changed. It differs in: network"):
        ql.audit(ql.bundled("breast_cancer"), workers=1, out=tmp_path / "out", **options)


def test_saving_over_another_audit_is_refused(small: tuple[Path, ql.AuditResult], tmp_path: Path) -> None:
    folder, result = small
    result.save(tmp_path / "copy")
    assert ql.AuditResult.load(tmp_path / "copy").quantizers == result.quantizers
    other = ql.audit(ql.bundled("wine"), workers=1, **(SMALL | {"models": 4, "epochs": 2}))
    before = (folder / "result.json").read_bytes()
    with pytest.raises(InputError, match="holds another audit"):
        other.save(folder)
    assert (folder / "result.json").read_bytes() == before


def test_settings_that_no_file_can_hold_are_refused() -> None:
    with pytest.raises(InputError, match="utility_loss: must be a number"):
        Settings(utility_loss=float("inf"))
