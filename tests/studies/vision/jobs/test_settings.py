"""Settings of the study: what makes it another study, what it looks at, what it refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from quantleak import InputError, read_images
from quantleak.fleet.training import Training
from quantleak.models import network
from quantleak.ptq import procedure
from quantleak.quantizers import BASELINE
from quantleak.studies.vision.jobs import METHODS, Vision, settings
from quantleak.studies.vision.jobs.settings import PROFILES, STOPPED_AT, open_data

PRESETS = tuple(Vision.presets)
QUICK = Vision.preset("quick")


def folder_of_images(data_dir: Path, seed: int) -> str:
    """A data set `tiny` of 40 random images in two classes."""
    folder = data_dir / "tiny"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(seed).integers(256, size=(40, 6, 6), dtype=np.uint8)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number}.png")
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        writer.writerows([f"{number}.png", "ab"[number % 2]] for number in range(40))
    return str(data_dir)


@pytest.mark.parametrize(
    "change",
    [{"noise": False}, {"layers": False}, {"seed": 1}, {"epochs": 33}, {"profile": "thorough"}, {"widths": ("2",)},
     {"head_options": ("8",)}, {"followed": ("2",)}, {"smaller": "resnet:8?width=3"}],
)  # fmt: skip
def test_what_changes_numbers_makes_another_study(change: dict[str, object]) -> None:
    assert replace(QUICK, **change).identity != QUICK.identity


@pytest.mark.parametrize("change", [{"data_dir": "/anywhere"}, {"resamples": 7}])
def test_what_changes_no_job_does_not(change: dict[str, object]) -> None:
    assert replace(QUICK, **change).identity == QUICK.identity


def test_what_a_version_of_the_program_changes_makes_another_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """How a profile sets the methods, and when training is looked at."""
    before = QUICK.identity
    specs = [procedure(QUICK.spec(method, width)).spec for method in METHODS for width in QUICK.widths]
    assert before["quantizers"] == specs
    assert before["stopped_at"] == [3, 6, 9, 12, 18, 24]
    json.dumps(before, allow_nan=False)
    monkeypatch.setattr(settings, "PROFILES", {**PROFILES, "short": {**PROFILES["short"], "brecq": "iterations=7"}})
    assert QUICK.identity["quantizers"] != specs
    monkeypatch.undo()
    monkeypatch.setattr(settings, "STOPPED_AT", STOPPED_AT[1:])
    assert QUICK.identity != before


def test_the_device_counts_and_not_how_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    named = replace(QUICK, device="cpu").identity
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert QUICK.identity == named
    assert named["device"] == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert QUICK.identity != named
    assert QUICK.identity["device"].startswith("cuda")


def test_images_count_and_not_where_they_lie(tmp_path: Path) -> None:
    first, moved, other = (folder_of_images(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    study = replace(QUICK, data=("tiny",))
    identities = [replace(study, data_dir=data_dir).identity for data_dir in (first, moved, other)]
    assert identities[0] == identities[1] != identities[2]
    assert identities[0]["digests"] == {"tiny": read_images(Path(first) / "tiny").digest}


@pytest.mark.parametrize("given", ["", "folder"])
def test_data_that_are_not_there_are_refused_with_advice(tmp_path: Path, given: str) -> None:
    data_dir = str(tmp_path) if given else ""
    with pytest.raises(InputError, match=r"'cifar10'.*--data-dir FOLDER.*--set data=digits"):
        open_data("cifar10", data_dir)
    with pytest.raises(InputError, match=r"no --data-dir" if not given else str(tmp_path)):
        open_data("cifar10", data_dir)


def test_a_study_of_no_data_or_an_unknown_profile_is_refused() -> None:
    with pytest.raises(InputError, match="data: name at least one data set"):
        QUICK.changed({"data": []})
    with pytest.raises(InputError, match=r"profile must be short, fast, thorough, published, got 'fasst'.*fast"):
        QUICK.changed({"profile": "fasst"})
    with pytest.raises(InputError, match="(?s)models: must be at least 2.*batch: must be at least 1"):
        QUICK.changed({"models": 1, "batch": 0})
    with pytest.raises(InputError, match="width must be a number of bits.*got 'binary'"):
        QUICK.changed({"widths": ["binary"]})


def test_early_stops_are_the_evaluated_epochs_next_to_the_shares_of_training() -> None:
    assert QUICK.stopped_at == (3, 6, 9, 12, 18, 24)
    assert Vision().stopped_at == (16, 32, 48, 64, 96, 128)
    for epochs, every in ((10, 1), (7, 2), (5, 5), (1, 1), (100, 30)):
        study = replace(QUICK, epochs=epochs, evaluate_every=every)
        training = Training(epochs=epochs, evaluate_every=every)
        possible = [epoch for epoch in range(1, epochs) if training.evaluated(epoch)]
        assert set(study.stopped_at) <= set(possible)
        assert list(study.stopped_at) == sorted(set(study.stopped_at))
        for share in STOPPED_AT:
            nearest = min((abs(share * epochs - epoch) for epoch in possible), default=np.inf)
            # None where 0 or the last epoch is nearer.
            if nearest < min(share, 1 - share) * epochs - 1e-9:
                assert any(abs(share * epochs - epoch) <= nearest + 1e-9 for epoch in study.stopped_at)


@pytest.mark.parametrize("preset", PRESETS)
def test_methods_are_set_as_the_profile_says(preset: str) -> None:
    study = Vision.preset(preset)
    for method in METHODS:
        one = procedure(study.spec(method, "2", "head=8"))
        assert (one.name, one.width, one.head) == (method, 2, 8)
    iterations = {name: procedure(study.spec(name, "2")).iterations for name in ("adaround", "brecq")}
    published = procedure(study.spec("obq", "2"))
    expected = {"short": (500, 200), "fast": (2000, 1000), "thorough": (10_000, 2000), "published": (20_000, 20_000)}[
        study.profile
    ]
    assert tuple(iterations.values()) == expected
    assert published.retune is (study.profile == "published")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_fleet_has_the_settings_of_the_study(preset: str) -> None:
    study = Vision.preset(preset)
    fleet = study.fleet((BASELINE, "rtn:2"))
    same = ("models", "pool", "epochs", "batch", "augment", "queries", "precision", "evaluate_every", "seed", "level")
    assert [getattr(fleet, name) for name in same] == [getattr(study, name) for name in same]
    assert (fleet.model, fleet.schedule, fleet.trainer) == (study.network, "cosine", "serial")
    assert fleet.quantizers == (BASELINE, "rtn:2")


@pytest.mark.parametrize("preset", PRESETS)
def test_the_small_network_is_about_as_large_as_a_ternary_one(preset: str) -> None:
    study = Vision.preset(preset)
    shape = (1, 8, 8) if preset == "quick" else (3, 32, 32)
    large, small = (
        sum(one.numel() for one in network(name, shape, 10).module(seed=0).parameters())
        for name in (study.network, study.smaller)
    )
    assert 0.75 < 32 * small / (2 * large) < 1.5  # three levels take two bits


def test_the_command_runs_the_study_again() -> None:
    changed = replace(QUICK, layers=False, models=12)
    expected = "quantleak reproduce vision --preset quick --without layers --set 'models=12' --out out/vision"
    assert changed.command == expected
