import gzip
import io
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from quantleak.data.source import open_source
from quantleak.errors import InputError


def npz_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def parquet_bytes():
    return pd.DataFrame({"a": range(100)}).to_parquet()


def zip_bytes(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


CSV = b"a,b\n1,2\n"
PARQUET = parquet_bytes()
NPZ = npz_bytes(X=np.eye(2))


@pytest.mark.parametrize(
    ("name", "raw", "kind"),
    [("d.csv", CSV, "csv"), ("d.TSV", CSV, "csv"), ("d.pq", PARQUET, "parquet"), ("d.npz", NPZ, "npz")],
)
def test_kind_name_and_checksum(tmp_path, name, raw, kind):
    (tmp_path / name).write_bytes(raw)
    source = open_source(tmp_path / name)
    assert (source.kind, source.name, source.raw, len(source.sha256)) == (kind, name, raw, 64)
    assert str(tmp_path) not in repr(source)


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("d.csv", b"", "'d.csv' is empty"),
        ("d.csv", PARQUET, "by its content it is Parquet"),
        ("d.csv", gzip.compress(CSV, mtime=0), "content it is gzip"),
        ("d.csv", CSV + b"\0\0", "content it is binary"),
        ("d.csv", "a,b".encode("utf-16"), "UTF-16 text .save it as UTF-8"),
        ("d.parquet", CSV, "content it is text"),
        ("d.parquet", PARQUET[: len(PARQUET) // 2], "Parquet file cut short"),
        ("d.npz", NPZ[: len(NPZ) // 2], "cut short"),
        ("d.npz", zip_bytes("a.txt"), "content it is zip"),
        ("d.npz", PARQUET, "content it is Parquet"),
        ("d.csv.gz", gzip.compress(CSV, mtime=0), "'d.csv.gz' .gzip by its content. is not read here"),
        ("d.json", b"{}", "not read here. Data comes as CSV"),
        ("d", CSV, "not read here"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path, name, raw, message):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["d.csv", "d.npz", "d.pkl", "d.pt", "d.joblib", "d.parquet"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_under_any_name(tmp_path, name, protocol):
    (tmp_path / name).write_bytes(pickle.dumps([1], protocol=protocol))
    with pytest.raises(InputError, match="is a Python pickle: opening it could run code"):
        open_source(tmp_path / name)


def test_a_model_file_of_torch_is_a_pickle_in_a_zip(tmp_path):
    (tmp_path / "d.npz").write_bytes(zip_bytes("archive/data.pkl", "archive/version"))
    with pytest.raises(InputError, match="is a Python pickle"):
        open_source(tmp_path / "d.npz")


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "patients.csv").write_bytes(CSV)
    with pytest.raises(InputError, match=r"no file .*Did you mean 'patients.csv'\?"):
        open_source(tmp_path / "pateints.csv")
    with pytest.raises(InputError, match=r"no file .* Check the path"):
        open_source(tmp_path / "nowhere" / "x.csv")


def test_a_folder_or_an_impossible_name_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        open_source(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read|no file"):
        open_source(tmp_path / ("x" * 5000))
