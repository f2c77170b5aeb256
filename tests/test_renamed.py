"""Settings that changed their name, wherever the old one can come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import quantleak as ql
from quantleak.auditing.settings import Settings, read_settings
from quantleak.renamed import accept_old_names, with_old_names
from quantleak.requests.request import read_request
from quantleak.store import identity_hash, read_run

WARNS = "'biases' is now called 'unquantized_dtype'"


def test_python_yaml_and_set_take_the_old_name_and_warn() -> None:
    for made in (
        lambda: Settings(biases="float16"),
        lambda: read_settings({"biases": "float16"}),
        lambda: read_request({"biases": "float16", "dataset": "wine"}).settings,
        lambda: ql.TrajectoryTracker(loss="binary", biases="float16"),
    ):
        with pytest.warns(FutureWarning, match=WARNS) as seen:
            assert made().unquantized_dtype == "float16"
        assert len(seen) == 1


def test_both_names_are_refused() -> None:
    with pytest.raises(ql.InputError, match="old name of unquantized_dtype"):
        accept_old_names({"biases": "float16", "unquantized_dtype": "float16"})


def test_a_tracker_goes_on_from_a_state_of_the_old_name() -> None:
    def tracker() -> ql.TrajectoryTracker:
        return ql.TrajectoryTracker(quantizers=["sign"], loss="binary")

    one, two = tracker(), tracker()
    one.update(nn.Linear(3, 1), [(torch.eye(3), torch.tensor([0, 1, 1]))])
    state = one.state_dict()
    two.load_state_dict({**state, "settings": with_old_names(state["settings"])})
    assert two.updates == 1


def made_older(folder: Path) -> str:
    """Rewrite a finished folder as the version before the rename left it; returns its id."""
    identity = with_old_names({name: value for name, value in json.loads((folder / "run.json").read_text()).items()})
    new = identity.pop("id")
    old = identity_hash(identity)
    (folder / "run.json").write_text(json.dumps({"id": old, **identity}))
    result = with_old_names(json.loads((folder / "result.json").read_text()))
    (folder / "result.json").write_text(json.dumps(result).replace(new, old))
    manifest = json.loads((folder / "manifest.json").read_text().replace(new, old))
    from quantleak.store.files import checksum

    manifest["files"]["result.json"] = checksum(folder / "result.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "unquantized_dtype" not in (folder / "result.json").read_text() + (folder / "run.json").read_text()
    return old


def test_folders_of_the_old_name_are_read_compared_and_continued(tmp_path: Path) -> None:
    def audited(out: Path, **more: object) -> ql.AuditResult:
        small = {"models": 4, "epochs": 2, "model": "linear", "quantizers": ("sign",), "workers": 1}
        return ql.audit(ql.bundled("breast_cancer"), out=out, **small | more)

    new, folder = audited(tmp_path / "new"), tmp_path / "old"
    audited(folder)
    old = made_older(folder)
    read = ql.AuditResult.load(folder)
    assert read.id == old != new.id
    assert read.settings == new.settings
    assert read_run(folder)["settings"]["unquantized_dtype"] == "bfloat16"
    assert audited(folder).id == old

    (folder / "manifest.json").unlink()
    blocks = sorted((folder / "jobs").glob("block-*"))
    times = [path.stat().st_mtime_ns for path in blocks]
    continued = audited(folder)
    assert continued.id == old
    assert continued["sign"] == new["sign"]
    assert [path.stat().st_mtime_ns for path in blocks] == times
    with pytest.raises(ql.InputError, match="settings.unquantized_dtype: bfloat16 -> float16"):
        audited(folder, unquantized_dtype="float16")
