from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from quantleak.data.images.labels import code_labels, named_in_folder, named_in_schema, read_labels
from quantleak.errors import InputError


def column(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    ("values", "kind", "names", "message"),
    [
        ([0, None, 1], pa.int64(), None, r"missing in 1 of 3 rows \(data rows 2;"),
        ([0, -1, 1], pa.int64(), None, r"negative in 1 of 3 rows \(data rows 2;"),
        ([0, 2, 1], pa.int8(), ("cat", "dog"), r"beyond the 2 named classes \(0 to 1\) in 1 of 3 rows \(data rows 2;"),
        ([0, 2**64 - 1], pa.uint64(), None, r"too large in 1 of 2 rows"),
        ([0.0, 1.0], pa.float64(), None, "hold double, not whole numbers"),
        (["a", "b"], pa.string(), None, "hold string, not whole numbers"),
    ],
)
def test_wrong_labels_are_named(values, kind, names, message):
    with pytest.raises(InputError, match=f"'label' of 'train.parquet'.*{message}"):
        read_labels(column(values, kind), "label", "train.parquet", names)


def test_texts_where_they_are_permitted():
    found = read_labels(column(["cat", "dog"]), "label", "labels.csv", None, texts=True)
    assert found.tolist() == ["cat", "dog"]
    assert read_labels(column([True, False]), "label", "l", None, texts=True).tolist() == ["true", "false"]
    with pytest.raises(InputError, match=r"missing in 2 of 3 rows"):
        read_labels(column(["cat", " ", None]), "label", "labels.csv", None, texts=True)


def test_labels_are_classes_whatever_they_are():
    many, notes = code_labels(np.arange(120).repeat(2), "label", None)
    assert (many.task, many.classes[:2], notes) == ("multiclass", ("0", "1"), ())
    two, _ = code_labels(np.array([3, 9, 3]), "label", None)
    assert (two.task, two.values.tolist(), two.classes) == ("binary", [0, 1, 0], ("3", "9"))
    texts, _ = code_labels(np.array(["dog", "cat", "ape"], object), "label", None)
    assert (texts.task, texts.values.tolist(), texts.classes) == ("multiclass", [2, 1, 0], ("ape", "cat", "dog"))


def test_named_classes_without_an_image_are_left_out_and_counted():
    targets, notes = code_labels(np.array([0, 2, 2]), "label", ("ape", "bee", "cat"))
    assert (targets.values.tolist(), targets.classes) == ([0, 1, 1], ("ape", "cat"))
    assert notes == ("1 of 3 named classes have no image and were left out",)


def test_one_class_is_nothing_to_learn():
    with pytest.raises(InputError, match="is 4 for all 3 images: there is nothing to learn"):
        code_labels(np.array([4, 4, 4]), "label", None)


def metadata(content):
    return {b"huggingface": content if isinstance(content, bytes) else json.dumps(content).encode()}


@pytest.mark.parametrize("names", [["cat", "dog"], {"0": "cat", "1": "dog"}])
def test_names_that_datasets_wrote(names):
    assert named_in_schema(metadata({"info": {"features": {"label": {"names": names}}}}), "label") == ("cat", "dog")


@pytest.mark.parametrize(
    "content", [b"{", {}, [], {"info": {"features": {"label": {"names": 3}}}}, {"info": {"features": None}}]
)
def test_metadata_of_another_form_name_no_classes(content):
    assert named_in_schema(metadata(content), "label") is None
    assert named_in_schema(None, "label") is None


def test_names_in_a_file(tmp_path):
    assert named_in_folder(tmp_path, "label") is None
    (tmp_path / "classes.csv").write_text('label,wnid,name\n1,n2,dog\n0,n1,"cat, tabby"\n2,n3,dog\n')
    assert named_in_folder(tmp_path, "label") == ("cat, tabby", "dog (1)", "dog (2)")
    (tmp_path / "classes.csv").write_text("fine_label,fine_name\n0,apple\n1,bee\n")
    assert named_in_folder(tmp_path, "fine_label") == ("apple", "bee")
    (tmp_path / "classes.csv").write_text("label,name\n1,cat\n2,dog\n")
    with pytest.raises(InputError, match="must number the classes 0 to 1"):
        named_in_folder(tmp_path, "label")
    (tmp_path / "classes.csv").write_text("code,title\n1,cat\n")
    with pytest.raises(InputError, match="has no column 'name'.*'code', 'title'"):
        named_in_folder(tmp_path, "label")
