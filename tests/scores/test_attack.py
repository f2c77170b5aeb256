"""Attacks on an auditor's own arrays: against the attacks called directly, and every problem of a file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from quantleak.attacks import RMIA, LiRA, bavaria, lira, log_probability, rmia
from quantleak.errors import InputError
from quantleak.scores.attack import ScoresSettings, attack_scores, attacked, read_scores_settings
from quantleak.scores.result import ScoresResult
from quantleak.scores.scores import read_scores, scores_of

QUICK = ScoresSettings()
Arrays = dict[str, Any]


def fleet(targets: int = 2, shadows: int = 20, examples: int = 150, *, exact: bool = False, gap: float = 1.0) -> Arrays:
    """Signals of models of which each was trained on about half of the examples."""
    random = np.random.default_rng(0)
    models = targets + shadows
    keys = random.random((models, examples))
    member = keys.argsort(0).argsort(0) < models // 2 if exact else keys < 0.5
    signals = 2 * random.normal(size=examples) + random.normal(size=(models, examples)) + gap * member
    population = 2 * random.normal(size=60) + random.normal(size=(models, 60))
    return {
        "target": signals[:targets], "target_member": member[:targets],
        "shadows": signals[targets:], "shadows_member": member[targets:],
        "population_target": population[:targets], "population_shadows": population[targets:],
    }  # fmt: skip


def found_by(arrays: Arrays) -> dict[str, np.ndarray]:
    return {name: scores for (name, _), scores in attacked(scores_of(arrays)).scores.items()}


def test_scores_are_those_of_the_attacks_called_directly() -> None:
    arrays = fleet()
    found = found_by(arrays)
    target, shadows, member = arrays["target"], arrays["shadows"], arrays["shadows_member"]
    np.testing.assert_array_equal(found["loss"], target)
    np.testing.assert_array_equal(found["bavaria-online"], bavaria(target, shadows, member))
    for name, convention in {
        "lira-online": LiRA(),
        "lira-offline-two-sided": LiRA(mode="offline", tail="two"),
        "lira-carlini2022": LiRA.preset("carlini2022"),
    }.items():
        np.testing.assert_allclose(found[name], lira(target, shadows, member, convention=convention), rtol=1e-12)
    direct = rmia(
        log_probability(target), log_probability(shadows), member,
        population_target=log_probability(arrays["population_target"]),
        population_shadows=log_probability(arrays["population_shadows"]),
        convention=RMIA.preset("ml_privacy_meter"),
    )  # fmt: skip
    np.testing.assert_allclose(found["rmia-ml_privacy_meter"], direct, rtol=1e-12)


def test_every_published_convention_is_run_once() -> None:
    names = list(found_by(fleet()))
    assert len(names) == len(set(names)) == 14
    assert {"lira-carlini2022-offline", "lira-quant-mia-offline", "lira-carlini2022-fixed"} < set(names)


def test_the_figures_are_those_of_the_scores() -> None:
    arrays = fleet(targets=1, examples=400)
    result = attack_scores(arrays, settings=QUICK)
    by_name = {attack.name: attack for attack in result.attacks}
    scores = found_by(arrays)
    reporting = attacked(scores_of(arrays), QUICK).choice.reported_on
    for name in ("loss", "lira-online", "rmia-offline"):
        expected = roc_auc_score(arrays["target_member"][0, reporting], scores[name][0, reporting])
        assert by_name[name].auc.value == pytest.approx(expected)
        assert by_name[name].auc.low < expected < by_name[name].auc.high
    assert by_name["loss"].tpr["0.01"].value is None
    assert result.worst.fpr == 0.1
    assert "half of the examples" in result.remarks[0]


def test_without_members_among_the_shadows_attacks_are_offline() -> None:
    arrays = fleet()
    arrays["shadows_member"] = np.zeros_like(arrays["shadows_member"])
    result = attack_scores(arrays, settings=QUICK)
    reasons = {attack.name: attack.reason for attack in result.attacks}
    assert {name for name, reason in reasons.items() if reason} == {
        "lira-online", "lira-carlini2022", "lira-carlini2022-fixed", "bavaria-online", "rmia-online",
    }  # fmt: skip
    assert "IN shadows" in str(reasons["lira-online"])
    assert any("offline" in remark for remark in result.remarks)


def test_without_a_population_rmia_says_what_it_needs() -> None:
    arrays = {name: array for name, array in fleet().items() if not name.startswith("population")}
    result = attack_scores(arrays, settings=QUICK)
    told = [note for note in result.notes() if note.startswith("Not run")]
    assert told == [
        "Not run: rmia-online, rmia-offline, rmia-rmia2024, rmia-ml_privacy_meter: needs population_target and "
        "population_shadows."
    ]


def test_a_count_of_shadows_does_not_give_the_target_away() -> None:
    """Every example in exactly half of the models, no signal at all: AUC 1/2, not less."""
    arrays = fleet(targets=1, shadows=7, examples=4000, exact=True, gap=0.0)
    inside = arrays["shadows_member"].sum(0)
    assert set(inside[arrays["target_member"][0]]) == {3}
    assert set(inside[~arrays["target_member"][0]]) == {4}
    by_name = {attack.name: attack.auc for attack in attack_scores(arrays, settings=QUICK).attacks}
    for name in ("lira-online", "rmia-online", "lira-offline"):
        assert by_name[name].value == pytest.approx(0.5, abs=0.035)


def test_rows_of_one_example_are_drawn_together() -> None:
    arrays = fleet(targets=1, examples=100)
    twice = {name: np.concatenate([array, array], axis=1) for name, array in arrays.items() if "population" not in name}
    apart = attack_scores(twice)
    together = attack_scores({**twice, "example_id": np.tile(np.arange(100), 2)})
    assert (apart.n["examples"], together.n["examples"]) == (200, 100)
    assert together.attacks[0].auc.value == apart.attacks[0].auc.value
    width = [result.attacks[0].auc.high - result.attacks[0].auc.low for result in (apart, together)]
    assert width[1] > 1.2 * width[0]


def test_scores_alone_are_judged_as_they_are() -> None:
    random = np.random.default_rng(1)
    member = random.random(500) < 0.5
    scores = member + random.normal(size=500)
    result = attack_scores({"scores": scores, "member": member.astype(int)}, settings=QUICK)
    assert [attack.name for attack in result.attacks] == ["scores"]
    assert result.attacks[0].auc.value == pytest.approx(roc_auc_score(member, scores))
    assert "AUC" in str(result)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (
            lambda arrays: {name: 1 / (1 + np.exp(-a)) if a.dtype != bool else a for name, a in arrays.items()},
            "probabilities",
        ),
        (
            lambda arrays: {name: log_probability(a) if a.dtype != bool else a for name, a in arrays.items()},
            "log probab",
        ),
        (lambda arrays: {name: -3 * a if a.dtype != bool else a for name, a in arrays.items()}, "are they losses"),
    ],
)
def test_signals_that_are_not_phi_are_doubted(change: Any, doubt: str) -> None:
    arrays = change(fleet(gap=3.0))
    assert any(doubt in remark for remark in attack_scores(arrays, settings=QUICK).remarks)
    assert not any("phi" in remark for remark in attack_scores(fleet(), settings=QUICK).remarks)


def test_a_result_is_saved_and_loaded_whole(tmp_path: Path) -> None:
    result = attack_scores({**fleet(), "example_id": np.arange(150)}, settings=QUICK)
    result.save(tmp_path / "out")
    loaded = ScoresResult.load(tmp_path / "out")
    assert loaded.to_dict() == result.to_dict()
    pd.testing.assert_frame_equal(loaded.examples, result.examples)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "attacks.parquet"), result.to_frame())
    page = (tmp_path / "out" / "report.html").read_text()
    assert "lira-online" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    result.save(tmp_path / "out")
    with pytest.raises(InputError, match="holds another attack; nothing was changed"):
        attack_scores(fleet(), settings=ScoresSettings(seed=31)).save(tmp_path / "out")


def test_names_are_escaped_in_the_page(tmp_path: Path) -> None:
    scores = scores_of({"scores": np.arange(40.0), "member": np.arange(40) % 2}, name="<script>alert(1)</script>.npz")
    attack_scores(scores, settings=QUICK).save(tmp_path)
    assert "<script" not in (tmp_path / "report.html").read_text()


def test_a_file_is_read_without_unpickling(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", **fleet())
    assert read_scores(tmp_path / "good.npz").target.shape == (2, 150)
    np.savez(tmp_path / "objects.npz", scores=np.array([{}, {}], dtype=object), member=np.array([0, 1]))
    with pytest.raises(InputError, match="pickle"):
        read_scores(tmp_path / "objects.npz")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1]))
    with pytest.raises(InputError, match="pickle"):
        read_scores(tmp_path / "model.pkl")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:500])
    with pytest.raises(InputError, match="cut short"):
        read_scores(tmp_path / "cut.npz")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="is no .npz file"):
        read_scores(tmp_path / "table.csv")


def changed(**changes: Any) -> Arrays:
    return {name: array for name, array in (fleet() | changes).items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "messages"),
    [
        ({}, ["target is missing", "shadows is missing", "log odds of the true label"]),
        (changed(shadows_member=None), ["shadows_member is missing. Give zeros"]),
        (changed(shadow=1), ["shadow is not an input"]),
        (changed(target_member=None, target_mebmer=1), ["target_mebmer is not an input. Did you mean 'target_m"]),
        (changed(scores=1), ["scores is not an input. It belongs to the other form"]),
        (changed(target=np.full((2, 150), np.nan)), ["target has 300 NaN or infinite values, the first at index (0, "]),
        (changed(target=np.nan_to_num(np.full((2, 150), -np.inf))), ["target has 300 values beyond 1e+150, the"]),
        (changed(target=np.zeros((2, 149))), ["target_member has shape (2, 150), target has (2, 149)", "shadows has"]),
        (changed(target=np.full((2, 150), "a")), ["target holds <U1; it must hold real numbers"]),
        (changed(target=np.zeros((2, 150), complex)), ["target holds complex128"]),
        (changed(shadows=np.zeros(150)), ["shadows has shape (150,); it must be [models, examples]"]),
        (changed(target=np.zeros((2, 0))), ["not empty"]),
        (changed(shadows_member=np.full((20, 150), 2)), ["shadows_member must hold True and False"]),
        (changed(target_member=np.ones((2, 150))), ["target_member has members only for target 0"]),
        (changed(population_target=None), ["population_shadows comes without population_target"]),
        (changed(population_shadows=np.zeros((13, 60))), ["population_shadows has 13 models, shadows has 20"]),
        (changed(population_target=np.zeros((2, 9))), ["population_shadows has 60 examples, population_target has 9"]),
        (changed(example_id=np.arange(3)), ["example_id has 3 entries for 150 examples"]),
        (changed(example_id=np.full(150, np.nan)), ["example_id has 150 NaN"]),
        ({"scores": np.arange(9.0), "member": np.arange(9) == 0}, ["1 members of 9; it needs 2 of both kinds"]),
        (
            changed(target=np.full((2, 150), np.inf), shadows_member=np.full((20, 150), 3), colour=1),
            ["target has 300", "shadows_member must", "colour is not an input"],
        ),
    ],
)  # fmt: skip
def test_all_problems_are_told_at_once(arrays: Arrays, messages: list[str]) -> None:
    with pytest.raises(InputError) as told:
        scores_of(arrays)
    for message in messages:
        assert message in str(told.value)


def test_settings_are_checked() -> None:
    assert read_scores_settings({"seed": "99"}).seed == 99
    with pytest.raises(InputError, match=r"level: .*(.|\n)*colour"):
        read_scores_settings({"level": 2, "colour": "red"})
