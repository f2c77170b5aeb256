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
