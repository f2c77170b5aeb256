"""The command that a page shows is one that the program reads back to the same settings."""

import shlex
from dataclasses import asdict, replace

from quantleak.auditing import Settings
from quantleak.report.pages.command import command

DEFAULTS = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(Settings()).items()}


def told(result, data, **settings):
    return command(replace(result, data=data, settings=DEFAULTS | settings), DEFAULTS)


def test_a_bundled_set_and_nothing_but_defaults(make):
    data = {"source": "scikit-learn: breast_cancer", "target": "target", "columns": ["x"]}
    assert told(make(), data) == "quantleak audit --dataset breast_cancer --out DIR"


def test_molecules_groups_and_settings(make):
    data = {
        "source": "AMES.csv",
        "sha256": "ab",
        "target": "Y",
        "smiles": "Drug",
        "group": "lab 1",
        "columns": ["Drug"],
    }
    settings = {"models": 32, "quantizers": ["identity", "sign"], "unquantized_dtype": "float16", "utility_loss": 0.05}
    said = told(make(), data, **settings)
    words = shlex.split(said)
    assert words[:9] == ["quantleak", "audit", "--data", "AMES.csv", "--target", "Y", "--smiles", "Drug", "--group"]
    pairs = dict(zip(words[2:-2:2], words[3:-2:2], strict=True))
    assert pairs["--group"] == "lab 1"
    assert (pairs["--quantizer"], pairs["--models"], pairs["--set"]) == ("sign", "32", "unquantized_dtype=float16")
    assert pairs["--utility-loss"] == "0.05"
    assert "--columns" not in said


def test_tables_name_their_columns_and_nothing_escapes_the_shell(make):
    data = {"source": "a b.csv", "sha256": "ab", "target": "$(rm -r x)\n", "columns": ["age", "sex"]}
    said = told(make(), data)
    assert "\n" not in said
    assert shlex.split(said)[2:8] == ["--data", "a b.csv", "--target", "$(rm -r x)?", "--columns", "age,sex"]


def test_columns_are_not_named_where_all_are_features(make):
    data = {"source": "a.csv", "sha256": "ab", "target": "y", "columns": ["age", "sex"], "every_column": True}
    assert "--columns" not in told(make(), data)


def test_arrays_are_audited_in_python(make):
    data = {"source": "arrays", "target": "targets", "columns": ["features"]}
    assert told(make(), data, models=8) == "quantleak.audit(dataset, models=8, out='DIR')"
    assert told(make(), data) == "quantleak.audit(dataset, out='DIR')"


def test_images_are_named_as_they_were_given(make):
    folder = {"source": "cifar 10", "sha256": "ab", "target": "label", "columns": ["img"], "images": True}
    assert shlex.split(told(make(), folder))[:4] == ["quantleak", "audit", "--images", "cifar 10"]
    digits = folder | {"source": "digits", "sha256": None, "image_size": 8}
    assert shlex.split(told(make(), digits))[2:6] == ["--images", "digits", "--image-size", "8"]
