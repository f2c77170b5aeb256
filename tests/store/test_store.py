from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from quantleak.errors import InputError
from quantleak.store import (
    Folder,
    identity_hash,
    read_arrays,
    read_json,
    verify,
    write,
    write_arrays,
    write_json,
    write_manifest,
)
from quantleak.store import folder as folder_module

IDENTITY = {"settings": {"models": 4, "quantizers": ["sign"]}, "data": {"name": "wine"}}


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write(path, b"old")

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"new and longer")
    with pytest.raises(OSError, match="No space left"):
        write_arrays(tmp_path / "b.npz", {"x": np.arange(3)}, {})
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("call", ["os.fsync", "os.chmod"])
@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.EROFS])
def test_a_file_system_that_lacks_fsync_or_permissions_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, refusal: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(call, refused)
    with Folder(tmp_path, IDENTITY) as folder:
        folder.save("block-0", ({"a": np.arange(3)}, {}))
        assert folder.load("block-0")[0]["a"].tolist() == [0, 1, 2]


def test_an_error_of_writing_names_the_path_and_advises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    for call in ("os.fsync", "os.replace", "tempfile.mkstemp"):
        with monkeypatch.context() as patch:
            patch.setattr(call, refused)
            with pytest.raises(OSError, match=r"a\.json: .*choose another folder"):
                write(tmp_path / "a.json", b"new")
    assert not list(tmp_path.iterdir())


def test_arrays_and_values_come_back_exactly(tmp_path: Path) -> None:
    arrays = {"a/b": np.random.default_rng(0).normal(size=(3, 4)), "mask": np.array([True, False])}
    meta = {"reason": None, "value": float("inf"), "text": "ü"}
    write_arrays(tmp_path / "x.npz", arrays, meta)
    read, told = read_arrays(tmp_path / "x.npz")
    assert told == meta
    assert read.keys() == arrays.keys()
    for name, values in arrays.items():
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "pickle"])
def test_a_damaged_job_is_noticed(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "x.npz"
    write_arrays(path, {"a": np.arange(1000.0)}, {"n": 1})
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-200], "flip": content, "empty": b"", "pickle": b"\x80\x04K\x01."}[damage])
    with pytest.raises(InputError, match="is damaged"):
        read_arrays(path)


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()


def test_reading_json_explains_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no .*missing.json"):
        read_json(tmp_path / "missing.json")
    (tmp_path / "cut.json").write_text('{"a": 1')
    with pytest.raises(InputError, match="damaged"):
        read_json(tmp_path / "cut.json")


def test_a_folder_is_continued_by_the_same_run_only(tmp_path: Path) -> None:
    with Folder(tmp_path / "out", IDENTITY) as first:
        first.save("block-0", ({"a": np.ones(2)}, {"n": 1}))
    with Folder(tmp_path / "out", IDENTITY) as again:
        assert again.done("block-0")
        assert not again.done("block-1")
    other = {**IDENTITY, "settings": {"models": 8, "quantizers": ["sign"]}}
    before = sorted(p.read_bytes() for p in (tmp_path / "out").rglob("*.json"))
    with (
        pytest.raises(InputError, match=r"holds another audit.*settings.models: 4 -> 8"),
        Folder(tmp_path / "out", other),
    ):
        pass
    assert sorted(p.read_bytes() for p in (tmp_path / "out").rglob("*.json")) == before


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    told = "Another process works in"
    with Folder(tmp_path, IDENTITY), pytest.raises(InputError, match=told), Folder(tmp_path, IDENTITY):
        pass
    with Folder(tmp_path, IDENTITY):
        pass


def test_results_of_another_version_are_not_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Folder(tmp_path, IDENTITY):
        pass
    monkeypatch.setattr(folder_module, "RESULTS_VERSION", folder_module.RESULTS_VERSION + 1)
    with pytest.raises(InputError, match="the version of quantleak that made it"), Folder(tmp_path, IDENTITY):
        pass


def test_foreign_folders_and_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="holds other files and no audit"), Folder(tmp_path, IDENTITY):
        pass
    with pytest.raises(InputError, match="is a file"), Folder(tmp_path / "thesis.tex", IDENTITY):
        pass
    with pytest.raises(InputError, match="Cannot write to --out"), Folder(tmp_path / "thesis.tex" / "out", IDENTITY):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["lost+found", ".gitkeep", ".DS_Store", "desktop.ini"])
def test_what_systems_leave_in_an_empty_folder_is_no_file_of_others(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir() if name == "lost+found" else (tmp_path / name).touch()
    with Folder(tmp_path, IDENTITY) as folder:
        assert not folder.done("block-0")
    assert (tmp_path / name).exists()


def test_a_run_killed_at_its_very_beginning_can_begin_again(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / ".run.json.x1y2").write_text("{")
    (tmp_path / "jobs" / ".block-0.npz.a1b2").write_bytes(b"half")
    with Folder(tmp_path, IDENTITY) as folder:
        assert not folder.done("block-0")
    assert {p.name for p in tmp_path.rglob("*")} == {"jobs", ".lock", "run.json"}


def test_a_damaged_job_is_done_again(tmp_path: Path) -> None:
    with Folder(tmp_path, IDENTITY) as folder:
        folder.save("block-0", ({"a": np.arange(100)}, {}))
        job = tmp_path / "jobs" / "block-0.npz"
        job.write_bytes(job.read_bytes()[:50])
        assert not folder.done("block-0")
        assert not job.exists()


def test_no_flipped_bits_of_a_job_give_wrong_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write_arrays(path, {"a": np.arange(6.0)}, {"n": 1})
    whole = path.read_bytes()
    noticed = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :])
        try:
            arrays, meta = read_arrays(path)
        except InputError:
            noticed += 1
            continue
        assert meta == {"n": 1}
        np.testing.assert_array_equal(arrays.get("a", np.arange(6.0)), np.arange(6.0))
    assert noticed > len(whole) / 2


def test_sealed_files_are_verified(tmp_path: Path) -> None:
    with Folder(tmp_path, IDENTITY) as folder:
        assert not folder.finished()
        with pytest.raises(InputError, match="holds no finished audit"):
            verify(tmp_path)
        with pytest.raises(InputError, match="There is no folder .*nowhere"):
            verify(tmp_path / "nowhere")
        write(tmp_path / "result.json", b"{}")
        write_manifest(tmp_path, ["result.json"], folder.id)
        assert folder.finished()
        assert verify(tmp_path) == folder.id
        write_manifest(tmp_path, ["result.json"], "another run")
        assert not folder.finished()
    (tmp_path / "result.json").write_bytes(b"{ }")
    with pytest.raises(InputError, match=r"result.json is damaged: its checksum"):
        verify(tmp_path)
    (tmp_path / "result.json").unlink()
    with pytest.raises(InputError, match=r"result.json is missing"):
        verify(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InputError, match=r"manifest.json is damaged"):
        verify(tmp_path)


def test_identity_is_of_the_content() -> None:
    assert identity_hash({"a": 1, "b": 2}) == identity_hash({"b": 2, "a": 1})
    assert identity_hash({"a": 1}) != identity_hash({"a": 2})


def test_a_file_system_without_locks_is_warned_of_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(*_: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(folder_module.FileLock, "acquire", no_locks)
    with caplog.at_level("WARNING", "quantleak"), Folder(tmp_path / "out", IDENTITY) as folder:
        folder.save("one", ({"x": np.arange(3)}, {"seconds": 1.0}))
    assert "has no locks" in caplog.text
    with Folder(tmp_path / "out", IDENTITY) as folder:
        assert folder.done("one")
