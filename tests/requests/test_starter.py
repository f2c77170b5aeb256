"""The settings file to begin with holds every setting, with a remark, and is what it was made from."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from quantleak.auditing import Settings
from quantleak.errors import InputError
from quantleak.requests.request import REQUEST_FIELDS, Request, read_request
from quantleak.requests.starter import default, remarks, write_starter


def test_every_field_has_a_remark() -> None:
    assert list(remarks(Settings)) == [field.name for field in fields(Settings)]
    assert list(remarks(Request)) == [field.name for field in fields(Request)]
    assert "whatever" not in remarks(Settings)
    assert remarks(Settings)["unquantized_dtype"].endswith("there is no r_Q.")


def test_the_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "audit.yaml"
    command = write_starter(path, {"dataset": "wine"})
    text = path.read_text()
    assert text.startswith(f"# {command}\n")
    content = yaml.safe_load(text)
    request = read_request(content)
    assert request.settings == Settings()
    assert (request.dataset, str(request.out)) == ("wine", "out/wine")
    assert set(content) == {field.name for field in fields(Settings)} | {"dataset", "out"}
    for name in set(REQUEST_FIELDS) - set(content):
        assert f"\n# {name}:\n" in text


def test_given_data_are_opened_first(tmp_path: Path) -> None:
    table = tmp_path / "a table.csv"
    table.write_text("x,sick\n" + "".join(f"{row},{row % 2}\n" for row in range(80)))
    path = tmp_path / "a b.yaml"
    assert write_starter(path, {"data": str(table), "target": "sick"}) == f"quantleak audit '{path}'"
    content = yaml.safe_load(path.read_text())
    assert (content["data"], content["target"], content["out"]) == (str(table), "sick", "out/a table")
    with pytest.raises(InputError, match="is there already, and nothing was changed"):
        write_starter(path, {})
    with pytest.raises(InputError, match="Did you mean 'sick'"):
        write_starter(tmp_path / "other.yaml", {"data": str(table), "target": "sik"})
    assert not (tmp_path / "other.yaml").exists()
    with pytest.raises(InputError, match="There is no folder"):
        write_starter(tmp_path / "none" / "a.yaml", {})


def test_defaults_are_values_that_yaml_holds() -> None:
    assert default("models") == 64
    assert isinstance(default("quantizers"), list)
