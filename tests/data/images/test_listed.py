from __future__ import annotations

import hashlib

import pytest
from tests.data.pictures import pictures, write_listing

from quantleak.data.images.listed import read_listed
from quantleak.errors import InputError


def test_images_labels_and_splits_of_a_folder(tmp_path):
    raws = pictures(4)
    write_listing(tmp_path, raws, ["dog", "cat", "cat", "dog"], ["train", "train", "test", "train"])
    found = read_listed(tmp_path)
    (batch,) = found.batches
    assert batch.encoded == raws
    assert batch.labels.tolist() == ["dog", "cat", "cat", "dog"]
    assert batch.held_out.tolist() == [False, False, True, False]
    assert (found.image, found.label, found.classes, found.name) == ("file", "label", None, tmp_path.name)
    whole = (tmp_path / "labels.csv").read_bytes() + b"".join(raws)
    assert found.sha256 == hashlib.sha256(whole).hexdigest()
    assert found.files == "1 of 4 images are held out of every model's pool (column 'split')"


def test_numbers_with_names_beside_them(tmp_path):
    write_listing(tmp_path, pictures(2), [1, 0])
    (tmp_path / "classes.csv").write_text("label,name\n0,cat\n1,dog\n")
    found = read_listed(tmp_path)
    assert (found.batches[0].labels.tolist(), found.classes) == ([1, 0], ("cat", "dog"))
    assert not found.batches[0].held_out.any()


def test_several_listings_are_told_apart_by_name(tmp_path):
    write_listing(tmp_path, pictures(2), [1, 0])
    (tmp_path / "other.csv").write_text("path,label\n1.png,0\n0.png,5\n")
    with pytest.raises(InputError, match=r"has 2 CSV files \('labels.csv', 'other.csv'\).*--images .*labels.csv"):
        read_listed(tmp_path)
    assert read_listed(tmp_path / "other.csv").batches[0].labels.tolist() == [0, 5]


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    write_listing(inner, pictures(3), [0, 1, 0])
    (tmp_path / "secret.png").write_bytes(pictures(1)[0])
    (inner / "circle.png").symlink_to(inner / "circle.png")
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    return inner


@pytest.mark.parametrize("path", ["../secret.png", "{outside}/secret.png", "./../inner/../secret.png", "link.png"])
def test_paths_may_not_leave_the_folder(folder, path):
    path = path.format(outside=folder.parent)
    (folder / "labels.csv").write_text(f"file,label\n0.png,0\n{path},1\n")
    with pytest.raises(InputError, match=r"leads out of its folder in 1 of 2 rows \(data rows 2;.*Put all images"):
        read_listed(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fil,label\n0.png,0\n", r"no column 'file'; its columns are 'fil', 'label'. Did you mean 'file'"),
        ("file,lable\n0.png,0\n", r"no column 'label'.* Did you mean 'label'"),
        ("file,label\n0.png,0\n11.png,1\n", r"a file that is not there in 1 of 2 rows.*'11.png'. Did you mean '1.png'"),
        ("file,label\n0.png,0\n,1\n", "names no file in 1 of 2 rows"),
        ("file,label\n0.png,0\na\0b,1\n", "by its content it is binary"),
        (f"file,label\n0.png,0\n{'n' * 300},1\n", "not there in 1 of 2 rows"),
        ("file,label\n0.png,0\ncircle.png,1\n", "not there in 1 of 2 rows"),
        ("file,label\n0.png,0\n.,1\n", "not there"),
        ("file,label\n0.png,0\n1.png,-1\n", "'label' of 'labels.csv' is negative"),
        ("file,label\n0.png,0\n1.png,1.5\n", "hold double, not whole numbers"),
        ("file,label\n0.png,0\n1.png,\n", "is missing in 1 of 2 rows"),
        ("file,label,split\n0.png,0,train\n1.png,1,tset\n", "neither train nor test in 1 of 2 rows.*'tset'"),
        ("file,label,split\n0.png,0,train\n1.png,1,\n", "neither train nor test in 1 of 2 rows"),
    ],
)
def test_listings_that_cannot_be_used(folder, text, message):
    (folder / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_listed(folder)
