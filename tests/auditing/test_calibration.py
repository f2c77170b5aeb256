"""Calibration as part of an audit: whose examples, how many, disjoint from all that is evaluated, attacked apart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

import quantleak as ql
from quantleak.attacks import evaluate, leave_one_out, lira
from quantleak.auditing import Settings
from quantleak.auditing.calibration import default_examples
from quantleak.auditing.plan import Plan, make_plan
from quantleak.data import Dataset
from quantleak.errors import InputError

SPECS = ("obq:2", "obq:2?calibration=held-out", "obq:2?calibration=synthetic", "obq:2?examples=10")


def digits() -> Dataset:
    return ql.read_images("digits")


def planned(*specs: str, **changes: object) -> Plan:
    settings = Settings(model="conv:4", models=6, epochs=1, quantizers=specs, seed=3)
    return make_plan(digits(), dataclasses.replace(settings, **changes))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return planned(*SPECS)


def test_by_default_it_is_a_quarter_of_the_members_and_of_the_held_out_half() -> None:
    assert default_examples(450, None) == 112
    assert default_examples(25_000, None) == 1024
    assert default_examples(5000, 800) == 200
    assert default_examples(2, None) == 1


def test_members_calibrate_their_own_model_and_nobody_elses(plan: Plan) -> None:
    calibration = plan.calibration
    mask = calibration.mask("obq:2")
    assert mask is not None
    assert mask.sum(axis=1).tolist() == [plan.calibration_examples] * 6
    assert (mask <= plan.member).all()
    assert len(np.unique(mask, axis=0)) == 6


def read(plan: Plan, spec: str, model: int) -> torch.Tensor:
    return plan.calibration.inputs(*plan.calibration.read[spec], model)


def test_who_reads_fewer_reads_the_first_of_those_that_others_read(plan: Plan) -> None:
    few, many = read(plan, "obq:2?examples=10", 4), read(plan, "obq:2", 4)
    assert torch.equal(few, many[:10])
    assert len(many) == plan.calibration_examples


@pytest.mark.parametrize("count", [None, 20])
def test_held_out_examples_are_in_no_other_part_and_each_calibrates_half_of_the_models(
    plan: Plan, count: int | None
) -> None:
    parts, calibration = plan.parts, plan.calibration
    held_out = set(parts.calibration.tolist())
    assert len(held_out) >= 2 * plan.calibration_examples
    for name in ("pool", "validation", "population", "test"):
        assert not held_out & set(getattr(parts, name).tolist()), name
    count = count or plan.calibration_examples
    part, mask = calibration.held_out_part(count), calibration.held_out(count)
    assert set(part.tolist()) <= held_out
    assert mask.shape == (6, 2 * count)
    assert (mask.sum(axis=0) == 3).all()
    for model in range(6):
        rows = calibration.rows("held-out", count, model)
        assert set(rows.tolist()) == set(part[mask[model]].tolist())
        assert abs(len(rows) - count) < 4 * np.sqrt(count / 2)
    used = calibration.mask("obq:2?calibration=held-out")
    assert used is not None
    assert not used.any()


def test_held_out_leaves_pool_population_and_test_as_they_are(plan: Plan) -> None:
    usual = planned("obq:2")
    for name in ("pool", "population", "test"):
        np.testing.assert_array_equal(getattr(plan.parts, name), getattr(usual.parts, name))
    assert not len(usual.parts.calibration)


def test_synthetic_examples_are_nobodys_and_differ_from_model_to_model(plan: Plan) -> None:
    one, two = (read(plan, "obq:2?calibration=synthetic", model) for model in (0, 1))
    assert one.shape == (plan.calibration_examples, 1, 8, 8)
    assert not torch.equal(one, two)
    population = plan.features[plan.parts.population]
    np.testing.assert_allclose(one.mean(0).numpy(), population.mean(0), atol=0.6)


def test_which_rows_they_are_is_recorded_and_part_of_the_identity(plan: Plan) -> None:
    table = plan.calibration.table
    members = table[(table["source"] == "members") & (table["model"] == 2)]["row"].to_numpy()
    pool = plan.dataset.rows[plan.parts.pool]
    mask = plan.calibration.mask("obq:2")
    assert mask is not None
    assert sorted(members) == sorted(pool[mask[2]])
    assert set(table["source"]) == {"members", "held-out"}
    identity = json.dumps(plan.identity)
    other = dataclasses.replace(plan.calibration, seed=4).identity
    assert other["rows"] != plan.calibration.identity["rows"]
    assert other["quantizers"] == plan.calibration.identity["quantizers"]
    assert '"obq:2?calibration=held-out": {"source": "held-out"' in identity


def pictures(folder: Path, images: np.ndarray) -> str:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    lines = [f"{number}.png,{number % 2}" for number in range(len(images))]
    (folder / "labels.csv").write_text("file,label\n" + "\n".join(lines) + "\n")
    return str(folder)


def test_public_images_are_brought_to_the_form_of_the_audited_ones(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    source = pictures(tmp_path / "public", images)
    plan = planned("rtn:2?retune=true&calibration=public", public_images=source, calibration_examples=20)
    inputs = read(plan, "rtn:2?retune=true&calibration=public", 0)
    assert inputs.shape == (20, 1, 8, 8)
    # Grey by ITU-R 601, in units of the audited images' own mean and standard deviation.
    population = digits().features.values[plan.parts.population]
    grey = (images @ [0.299, 0.587, 0.114] - population.mean()) / population.std()
    assert float(inputs.mean()) == pytest.approx(grey.mean(), abs=0.05)
    assert plan.calibration.table["source"].unique().tolist() == ["public"]


def test_public_images_that_are_evaluated_are_refused(tmp_path: Path) -> None:
    own = digits().features.values[:10, 0]
    source = pictures(tmp_path / "public", own)
    with pytest.raises(InputError, match="10 of the 10 public images .* are also in the audited data"):
        planned("obq:2?calibration=public", public_images=source)


def test_public_needs_images_and_to_be_named() -> None:
    with pytest.raises(InputError, match="needs images of another source: --set public_images=FOLDER"):
        planned("obq:2?calibration=public")
    with pytest.raises(InputError, match="Calibration on public data is for images"):
        make_plan(ql.bundled("digits"), Settings(model="linear", models=4, quantizers=("obq:2?calibration=public",)))


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(InputError, match="calibration must be members or held-out or public or synthetic"):
        Settings(quantizers=("obq:2?calibration=heldout",))


@pytest.fixture(scope="module")
def audited() -> ql.AuditResult:
    return ql.audit(
        digits(),
        model="conv:8",
        models=8,
        epochs=4,
        optimizer="adam:1e-2",
        evaluate_every=4,
        quantizers=("obq:2", "obq:2?calibration=held-out", "noise:obq:2"),
        workers=1,
    )


def test_leakage_of_members_that_calibrated_is_apart(audited: ql.AuditResult) -> None:
    one = audited["obq:2"].calibration
    assert one is not None
    assert one.source == "members"
    assert one.auc.low is not None
    assert one.auc.high is not None
    assert one.auc.low < float(one.auc) < one.auc.high
    assert float(one.difference) == pytest.approx(float(one.found) - float(one.others))
    assert one.held_out_auc.value is None
    assert float(one.alarms) == pytest.approx(audited["obq:2"].worst.fpr, abs=0.03)
    assert audited["identity"].calibration is None


def test_held_out_examples_are_attacked_for_having_calibrated(audited: ql.AuditResult) -> None:
    one = audited["obq:2?calibration=held-out"].calibration
    assert one is not None
    assert one.found.value is None
    assert float(one.others) == pytest.approx(float(audited["obq:2?calibration=held-out"].worst), abs=0.02)
    assert one.held_out_auc.low is not None
    assert 0.3 < float(one.held_out_auc) < 0.7
    assert one.attack is not None
    assert audited.n["calibration"] >= 2 * one.examples


def test_noise_of_other_sizes_is_measured_and_not_listed(audited: ql.AuditResult) -> None:
    assert [row.spec for row in audited.quantizers][1:] == ["obq:2", "obq:2?calibration=held-out", "noise:obq:2"]
    noise = audited["obq:2"].noise
    assert noise is not None
    assert [point.factor for point in noise.curve] == [0, 0.125, 0.25, 0.5, 1, 2]
    assert noise.curve[0].utility == pytest.approx(float(audited["identity"].utility))
    assert noise.curve[4].leakage == pytest.approx(float(audited["noise:obq:2"].worst))
    assert "noise:0.5:obq:2" not in set(audited.models["quantizer"]) | set(audited.targets["quantizer"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"calibration_examples": 500}, "is no part of the 4.. members of a model.*Give at most 2"),
        ({"calibration_examples": 100, "spec": "obq:2?calibration=held-out"}, "2 x 100 examples out of the 360"),
        ({"pool": 10}, "pool: must be 0 for all examples or at least 20"),
    ],
)
def test_too_many_or_too_few_are_refused(changes: dict[str, int | str], message: str) -> None:
    spec = changes.pop("spec", "obq:2")
    with pytest.raises(InputError, match=message):
        planned(str(spec), **changes)


def test_too_few_public_images_are_refused(tmp_path: Path) -> None:
    source = pictures(tmp_path / "public", np.random.default_rng(0).integers(0, 256, (8, 8, 8), dtype=np.uint8))
    with pytest.raises(InputError, match="There are 8 public images.* --set calibration_examples=8"):
        planned("obq:2?calibration=public", public_images=source)


def test_one_example_that_shows_the_order_of_layers_is_nobodys_calibration() -> None:
    plan = planned("rtn:4?head=8&calibration=held-out")
    assert plan.calibration.read == {"rtn:4?head=8": ("members", 1)}
    assert not len(plan.parts.calibration)


def test_other_data_than_images_and_vectors_have_no_synthetic_examples() -> None:
    values = np.random.default_rng(0).normal(size=(200, 5, 4))
    dataset = ql.from_arrays(values, np.arange(200) % 2)
    settings = Settings(model="tests.auditing.test_calibration:flat", quantizers=("obq:2?calibration=synthetic",))
    with pytest.raises(InputError, match="2 or more images or vectors"):
        make_plan(dataset, dataclasses.replace(settings, models=4))


def flat(shape: tuple[int, ...], outputs: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(shape[0] * shape[1], outputs))


def test_noise_brings_its_quantizer_along_and_is_of_quantizers_only() -> None:
    assert Settings(quantizers=("noise:obq:2",)).quantizers == ("identity", "noise:obq:2", "obq:2")
    for spec in ("noise:noise:obq:2", "noise:identity"):
        with pytest.raises(InputError, match="has no error of its own to be as large as"):
            Settings(quantizers=(spec,))
    for spec in ("noise:nan:obq:2", "noise:0:obq:2", "noise:-1:obq:2", "noise:inf:obq:2"):
        with pytest.raises(InputError, match="the factor must be a number above 0"):
            Settings(quantizers=(spec,))
    with pytest.raises(InputError, match="names no quantizer"):
        Settings(quantizers=("noise:0.5",))


@pytest.mark.parametrize("count", [30, None])
def test_without_a_signal_nobody_tells_held_out_examples_apart(count: int | None) -> None:
    plan = planned("obq:2?calibration=held-out", models=8)
    member = plan.calibration.held_out(count or plan.calibration_examples)
    aucs = []
    for seed in range(40):
        signals = np.random.default_rng(seed).normal(size=member.shape)
        scores = leave_one_out(lira, signals, signals, member, seed=seed)
        aucs.append(float(evaluate(scores, member).auc))
    # Cut to size, the halves would give the answer away backwards: .466 with 8 models.
    assert np.mean(aucs) == pytest.approx(0.5, abs=4 * stats.sem(aucs))
    assert stats.sem(aucs) < 0.007
