import io
import zipfile

import numpy as np
import pytest

from quantleak.data import read_table
from quantleak.errors import InputError

X = np.arange(8.0).reshape(4, 2)
Y = np.array([0, 1, 0, 1])


@pytest.mark.parametrize("names", [("features", "targets"), ("X", "y")])
def test_the_usual_names(tmp_path, names):
    np.savez(tmp_path / "d.npz", **dict(zip(names, (X, Y), strict=True)))
    dataset = read_table(tmp_path / "d.npz")
    assert dataset.targets.tolist() == [0, 1, 0, 1]
    assert dataset.provenance.target == names[1]
    assert len(dataset.provenance.sha256) == 64
    np.testing.assert_allclose(dataset.encode(np.arange(4)).mean(axis=0), 0, atol=1e-6)


def test_named_arrays_texts_and_groups(tmp_path):
    np.savez_compressed(tmp_path / "d.npz", X=X, label=np.array(["a", "b", "a", "b"]), user=np.array([1, 1, 2, 3]))
    dataset = read_table(tmp_path / "d.npz", "label", group="user")
    assert dataset.classes == ("a", "b")
    assert dataset.groups.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"X": X}, {}, "no array 'targets' or 'y' for the target.* It has 'X'"),
        ({"train_images": X, "y": Y}, {}, "no array 'features' or 'X'"),
        ({"X": X, "labels": Y}, {"target": "label"}, "Did you mean 'labels'"),
        ({"X": X, "y": Y}, {"group": "user"}, "no array 'user' for the group"),
        ({"X": X, "y": Y[:3]}, {}, "4 rows of features but 3 targets"),
        ({"X": X, "y": Y}, {"columns": ["a"]}, "arrays, not columns"),
        ({"X": X, "y": Y, "user": np.zeros((4, 2))}, {"group": "user"}, r"'user' must be one label .* shape \(4, 2\)"),
        ({"X": X, "y": Y, "user": np.array(3)}, {"group": "user"}, r"'user' must be one label .* shape \(\)"),
        ({"X": X, "y": Y, "user": np.array([1, np.nan, 2, 2])}, {"group": "user"}, "'user' is missing in 1 of 4 rows"),
        ({"X": X, "y": Y, "user": np.array(["a", "", "b", "b"])}, {"group": "user"}, "'user' is missing in 1 of 4"),
        ({"X": X, "y": Y, "user": np.zeros(4, "i4,i4")}, {"group": "user"}, "'user' must hold numbers or text"),
        ({"X": X, "y": np.array(["a", None, "b", "c"], object)}, {}, "array of Python objects, which is a pickle"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, arrays, options, message):
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "d.npz", **options)


def test_a_damaged_array_is_reported(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, X=X, y=Y)
    raw = bytearray(path.read_bytes())
    raw[150] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(InputError, match="is damaged"):
        read_table(path)


def archive(path, header=None):
    """An NPZ file of features and targets, the header of the features replaced."""
    with zipfile.ZipFile(path, "w") as file:
        for name, array in (("X", X), ("y", Y)):
            buffer = io.BytesIO()
            np.save(buffer, array)
            raw = buffer.getvalue()
            if name == "X" and header is not None:
                raw = raw[:10] + header.ljust(len(raw) - array.nbytes - 11).encode() + b"\n" + raw[-array.nbytes :]
            file.writestr(f"{name}.npy", raw)
    return path


def set_in_both_directories(path, local, central, value):
    """Overwrite a 16-bit field of the first entry, at its offsets in the local and in the central header."""
    raw = bytearray(path.read_bytes())
    for start, offset in ((raw.index(b"PK\x03\x04"), local), (raw.index(b"PK\x01\x02"), central)):
        raw[start + offset : start + offset + 2] = value.to_bytes(2, "little")
    path.write_bytes(raw)


def test_an_encrypted_archive_is_refused(tmp_path):
    path = archive(tmp_path / "d.npz")
    set_in_both_directories(path, 6, 8, 1)
    with pytest.raises(InputError, match="'d.npz' is encrypted. Save it without a password"):
        read_table(path)


def test_an_unknown_compression_is_refused(tmp_path):
    path = archive(tmp_path / "d.npz")
    set_in_both_directories(path, 8, 10, 77)
    with pytest.raises(InputError, match="packed in a way that is not read here"):
        read_table(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 3), }",
        "{'descr': '<q9', 'fortran_order': False, 'shape': (4, 2), }",
        "((((((((",
        "",
    ],
)
def test_a_damaged_header_is_reported(tmp_path, header):
    assert len(read_table(archive(tmp_path / "whole.npz"))) == 4
    with pytest.raises(InputError, match="'d.npz' is damaged"):
        read_table(archive(tmp_path / "d.npz", header))


def test_an_entry_that_is_no_array_is_reported(tmp_path):
    path = archive(tmp_path / "d.npz")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("notes.npy", b"hello")
    with pytest.raises(InputError, match="'notes' is not an array"):
        read_table(path)


def test_whatever_byte_is_damaged_there_is_one_kind_of_error(tmp_path):
    whole = archive(tmp_path / "d.npz").read_bytes()
    refused = 0
    for place in range(len(whole)):
        raw = bytearray(whole)
        raw[place] ^= 0xFF
        (tmp_path / "d.npz").write_bytes(raw)
        try:
            read_table(tmp_path / "d.npz")
        except InputError:
            refused += 1
    # Dates and the like may be damaged without harm.
    assert refused > 0.8 * len(whole)
