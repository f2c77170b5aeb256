"""Where the data are is said once, and a request opens them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.pictures import pictures, write_parquet

from quantleak.errors import InputError
from quantleak.requests.prepare import prepare
from quantleak.requests.request import read_request
from quantleak.requests.starter import write_starter


def test_images_are_read_and_resized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flat_model.py").write_text(
        "from torch import nn\n"
        "def build(shape, outputs):\n    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * 64, outputs))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    write_parquet(tmp_path / "train.parquet", pictures(60), [0, 1] * 30)
    write_parquet(tmp_path / "test.parquet", pictures(80, seed=1), [0, 1] * 40)
    given = {"images": str(tmp_path), "image_size": "8", "model": "flat_model:build", "models": 4}
    dataset = read_request(given).load()
    assert dataset.features.encode(dataset.rows - 1).shape == (140, 3, 8, 8)
    plan = prepare({**given, "trainer": "serial"}, out=False).plan()
    assert plan.network.input_shape == (3, 8, 8)
    assert len(plan.parts.pool) == 60


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Give either --data FILE --target COLUMN or --dataset NAME .* or --images FOLDER.$"),
        ({"data": "a.csv", "images": "digits"}, "or --images FOLDER, not --data and --images together"),
        ({"images": "digits", "dataset": "wine"}, "not --images and --dataset together"),
        ({"images": "digits", "target": "y"}, "--images brings its own labels, which are classes; leave out --target"),
        ({"images": "digits", "task": "binary", "columns": "a"}, "leave out --task, --columns"),
        ({"dataset": "wine", "smiles": "y"}, "--dataset brings its own columns and task; leave out --smiles"),
        ({"dataset": "wine", "image_size": 8}, "--image-size is for images"),
    ],
)
def test_what_does_not_go_together(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_request(given).load()


def test_a_settings_file_for_images(tmp_path: Path) -> None:
    text = tmp_path / "audit.yaml"
    write_starter(text, {"images": "digits"})
    assert "\nimages: digits\n" in text.read_text()
    assert "\nout: out/digits\n" in text.read_text()
