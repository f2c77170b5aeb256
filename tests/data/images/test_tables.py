from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from tests.data.pictures import pictures, write_parquet

from quantleak.data.images.tables import read_parquet_folder
from quantleak.errors import InputError


def test_shards_are_joined_in_order_train_before_test(tmp_path):
    raws = pictures(7)
    write_parquet(tmp_path / "test-00000-of-00001.parquet", raws[5:], [1, 0], names=["cat", "dog"])
    write_parquet(tmp_path / "train-00001-of-00002.parquet", raws[3:5], [1, 1], names=["cat", "dog"])
    write_parquet(tmp_path / "train-00000-of-00002.parquet", raws[:3], [0, 1, 0], names=["cat", "dog"])
    found = read_parquet_folder(tmp_path)
    assert [raw for batch in found.batches for raw in batch.encoded] == raws
    assert np.concatenate([batch.labels for batch in found.batches]).tolist() == [0, 1, 0, 1, 1, 1, 0]
    assert np.concatenate([batch.held_out for batch in found.batches]).tolist() == [False] * 5 + [True] * 2
    assert (found.classes, found.name) == (("cat", "dog"), tmp_path.name)
    order = ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001")
    whole = b"".join((tmp_path / f"{name}.parquet").read_bytes() for name in order)
    assert found.sha256 == hashlib.sha256(whole).hexdigest()
    assert found.files == (
        "data rows 1 to 5 are train-00000-of-00002.parquet to train-00001-of-00002.parquet; 6 to 7 are "
        "test-00000-of-00001.parquet, held out of every model's pool"
    )


def test_a_shard_that_is_missing_is_named(tmp_path):
    write_parquet(tmp_path / "train-00002-of-00003.parquet", pictures(2), [0, 1])
    with pytest.raises(InputError, match="one of 3 files of which 2 are missing, the first with number 0"):
        read_parquet_folder(tmp_path)


@pytest.mark.parametrize("name", ["test", "valid", "validation"])
def test_what_is_held_out(tmp_path, name):
    write_parquet(tmp_path / "train.parquet", pictures(2), [0, 1])
    write_parquet(tmp_path / f"{name}.parquet", pictures(1), [0])
    assert [batch.held_out.all() for batch in read_parquet_folder(tmp_path).batches] == [False, True]


def test_of_test_and_validation_the_test_file_is_read_and_the_other_mentioned(tmp_path):
    for name in ("train", "validation", "test"):
        write_parquet(tmp_path / f"{name}.parquet", pictures(2), [0, 1])
    found = read_parquet_folder(tmp_path)
    assert [batch.name for batch in found.batches] == ["train.parquet", "test.parquet"]
    assert found.notes[-1] == "the validation split was not read: the test split is held out"


def test_the_folder_data_of_the_hub_is_looked_into(tmp_path):
    (tmp_path / "data").mkdir()
    write_parquet(tmp_path / "data" / "train.parquet", pictures(2), [0, 1])
    found = read_parquet_folder(tmp_path)
    assert (found.name, found.notes, len(found.batches)) == (tmp_path.name, (), 1)


def test_without_a_train_file(tmp_path):
    write_parquet(tmp_path / "trainings.parquet", pictures(2), [0, 1])
    with pytest.raises(InputError, match=r"no train\*.parquet; it has 'trainings.parquet'. Name its files train\*"):
        read_parquet_folder(tmp_path)


def test_columns_of_other_names_and_of_more_labels(tmp_path):
    coarse = {"coarse_label": [0, 0], "path": ["a", "b"]}
    write_parquet(tmp_path / "train.parquet", pictures(2), [0, 1], image="picture", label="kind", **coarse)
    found = read_parquet_folder(tmp_path)
    assert (found.image, found.label) == ("picture", "kind")
    write_parquet(tmp_path / "train.parquet", pictures(2), [0, 1], label="fine_label", **coarse, other=[1, 2])
    assert read_parquet_folder(tmp_path).label == "fine_label"


def test_columns_that_are_missing_or_several(tmp_path):
    path = tmp_path / "train.parquet"
    write_parquet(path, pictures(2), pa.array(["a", "b"]), label="labl")
    with pytest.raises(InputError, match=r"no column of labels .*Did you mean 'labl'.*Its columns: 'img' \(struct"):
        read_parquet_folder(tmp_path)
    write_parquet(path, pictures(2), [0, 1], label="kind", other=[0, 1])
    with pytest.raises(InputError, match="several columns of labels .*: 'kind', 'other'"):
        read_parquet_folder(tmp_path)
    pa.parquet.write_table(pa.table({"imgs": ["a"], "label": [0]}), path)
    with pytest.raises(InputError, match=r"no column of images .*Did you mean 'imgs'.*Name it 'image' or 'img'"):
        read_parquet_folder(tmp_path)


def test_a_second_file_without_the_columns_is_named(tmp_path):
    write_parquet(tmp_path / "train.parquet", pictures(2), [0, 1])
    write_parquet(tmp_path / "test.parquet", pictures(2), [0, 1], label="labels")
    with pytest.raises(InputError, match="'test.parquet' has no columns 'img' and 'label' as the first file has"):
        read_parquet_folder(tmp_path)


def test_a_truncated_file_and_a_damaged_one(tmp_path):
    path = tmp_path / "train.parquet"
    write_parquet(path, pictures(20), [0, 1] * 10)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"'train.parquet' is not what its name says.*cut short"):
        read_parquet_folder(tmp_path)
    path.write_bytes(whole[:8] + bytes(len(whole) - 500) + whole[-492:])
    with pytest.raises(InputError, match=r"'train.parquet' cannot be read as PARQUET: .*Download, copy or save"):
        read_parquet_folder(tmp_path)
    write_parquet(path, [], pa.array([], pa.int64()))
    with pytest.raises(InputError, match=r"'train.parquet' has no rows"):
        read_parquet_folder(tmp_path)


def test_only_the_needed_columns_are_read(tmp_path, monkeypatch):
    write_parquet(tmp_path / "train.parquet", pictures(2), [0, 1], huge=["x" * 100] * 2)
    read, asked = pa.parquet.ParquetFile.read, []
    monkeypatch.setattr(
        pa.parquet.ParquetFile, "read", lambda file, columns: asked.append(columns) or read(file, columns=columns)
    )
    read_parquet_folder(tmp_path)
    assert asked == [["img.bytes", "label"]]
