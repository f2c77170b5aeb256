"""The library `datasets` is played by a stand-in with the few methods that are used."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pyarrow.parquet
import pytest
from tests.data.pictures import pictures, write_parquet

from quantleak.data.images.hub import read_hub
from quantleak.errors import InputError


class Split:
    def __init__(self, path):
        self.table = pyarrow.parquet.read_table(path)
        self.features = SimpleNamespace(arrow_schema=self.table.schema)

    def with_format(self, kind):
        assert kind == "arrow"
        return self

    def __getitem__(self, rows):
        assert rows == slice(None)
        return self.table.replace_schema_metadata(None)


def install(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))


def test_splits_become_batches(tmp_path, monkeypatch):
    raws = pictures(3)
    write_parquet(tmp_path / "a.parquet", raws[:2], [0, 1], names=["cat", "dog"])
    write_parquet(tmp_path / "b.parquet", raws[2:], [1], names=["cat", "dog"])
    asked = []
    splits = {"test": Split(tmp_path / "b.parquet"), "train": Split(tmp_path / "a.parquet")}
    install(monkeypatch, lambda name: asked.append(name) or splits)
    found = read_hub("someone/pets")
    assert asked == ["someone/pets"]
    assert [batch.encoded for batch in found.batches] == [raws[:2], raws[2:]]
    assert [batch.held_out.tolist() for batch in found.batches] == [[False, False], [True]]
    assert (found.classes, found.name, found.sha256) == (("cat", "dog"), "hf:someone/pets", None)


def test_without_a_train_split(monkeypatch):
    install(monkeypatch, lambda name: {"all": None})
    with pytest.raises(InputError, match="has no split 'train', but 'all'"):
        read_hub("someone/pets")


def test_without_a_network(monkeypatch):
    def load(name):
        raise ConnectionError("Couldn't reach the Hub")

    install(monkeypatch, load)
    with pytest.raises(
        InputError, match=r"'hf:a/b' cannot be loaded: Couldn't reach the Hub.*hf download a/b --repo-type"
    ):
        read_hub("a/b")


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"pip install 'quantleak\[hf\]'"):
        read_hub("a/b")
