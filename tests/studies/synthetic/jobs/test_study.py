from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from quantleak import InputError
from quantleak.fleet import TRAINERS
from quantleak.quantizers import PAPER_A, quantizer
from quantleak.studies.synthetic import STUDY, Findings, Synthetic, Tables, find, verdicts
from quantleak.studies.synthetic.jobs.exact import problems
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED, FreshJob, fresh_fleet, own_sample, sample
from quantleak.studies.synthetic.jobs.fresh_attacks import FreshAttackJob
from quantleak.studies.synthetic.jobs.large import LargeJob, sizes_up_to
from quantleak.studies.synthetic.jobs.settings import Purpose
from quantleak.studies.synthetic.price import price
from quantleak.theory import privacy_rate

TINY = Synthetic(
    modes=(6,),
    sigmas=(2.0,),
    models=6,
    epochs=25,
    learning_rate=3e-3,
    validation=100,
    test=300,
    draws=2,
    draw_models=2,
    balanced_models=8,
    discriminators=False,
    exact=False,
    large_validation=1000,
    large_models=1,
    searched_models=2,
    perceptron_models=8,
    perceptron_followed=2,
    perceptron_epochs=5,
    perceptron_hidden=4,
    block=3,
)


def run_study(study: Synthetic, out: Path, **options: Any) -> Tables:
    return STUDY.find(study, out, **options).tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    return run_study(TINY, folder, workers=1)


@pytest.fixture(scope="module")
def findings(tables: Tables) -> Findings:
    return find(TINY, tables)


def test_every_model_has_every_figure(tables: Tables) -> None:
    assert len(tables.models) == 6 * 9
    quantized = tables.models[tables.models["quantizer"] != "identity"]
    searched = ["searched", "searched_better"]
    assert quantized.drop(columns=[*searched, "tenth"]).notna().all(axis=None)
    assert quantized[quantized["model"] < 2][searched].notna().all(axis=None)
    assert quantized[quantized["model"] >= 2][searched].isna().all(axis=None)
    assert quantized["elements"].between(2, 25).all()
    assert tables.models[tables.models["quantizer"] == "identity"]["fidelity"].to_numpy() == pytest.approx(1)
    assert set(tables.attacks["fleet"]) == {"fresh", "balanced"}
    assert len(tables.accuracy) == 2 * 9


def test_a_continued_study_gives_the_same_tables(tables: Tables, folder: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "further draws" and done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        run_study(TINY, tmp_path, workers=1, progress=stop)
    again = run_study(TINY, tmp_path, workers=2)
    for name in ("models", "attacks", "accuracy", "large"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))


def test_a_folder_of_another_study_is_refused_and_a_part_left_out_is_not_another(folder: Path, tables: Tables) -> None:
    with pytest.raises(InputError, match=r"another study.*epochs"):
        run_study(replace(TINY, epochs=26), folder)
    less = run_study(replace(TINY, balanced=False), folder, workers=1)
    assert set(less.attacks["fleet"]) == {"fresh"}
    pd.testing.assert_frame_equal(less.models, tables.models)


def test_accuracy_and_gaps_are_those_of_the_quantized_weights() -> None:
    distribution = TINY.distributions[0]
    arrays, _ = FreshJob(TINY, distribution, (0, 1, 2))()
    test, weight = sample(TINY, distribution, Purpose.TEST), torch.from_numpy(arrays["flat"][1]).reshape(1, -1)
    own = own_sample(TINY, distribution, 1)
    for place, spec in enumerate(PAPER_A):
        kept = quantizer(spec)(weight).numpy()[0].astype(np.float64)
        accuracy = ((test.features @ kept > 0) == test.labels).mean()
        assert arrays["accuracy"][1, place] == pytest.approx(accuracy, abs=1 / 300)
        right = ((own.features[:128] @ kept > 0) == own.labels[:128]).mean()
        validation = sample(TINY, distribution, Purpose.VALIDATION)
        outside = ((validation.features @ kept > 0) == validation.labels).mean()
        assert arrays["accuracy_gap"][1, place] == pytest.approx(right - outside, abs=0.02)


def test_entropy_of_a_balanced_sign_is_one_bit() -> None:
    arrays, _ = FreshJob(TINY, TINY.distributions[0], (0, 1))()
    signs = np.sign(arrays["flat"])
    share = (signs > 0).mean(1)
    expected = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
    assert arrays["entropy"][:, QUANTIZED.index("sign")] == pytest.approx(expected)


def test_the_loss_attack_is_the_best_threshold_of_the_other_models() -> None:
    distribution = TINY.distributions[0]
    flat = FreshJob(replace(TINY, block=6), distribution, tuple(range(6)))()[0]["flat"]
    found, _ = FreshAttackJob(TINY, distribution)({distribution.name: flat})
    place, member = PAPER_A.index("identity"), np.arange(256) < 128
    margins = []
    for model in range(6):
        own = own_sample(TINY, distribution, model)
        margins.append((2 * own.labels - 1) * (own.features.astype(np.float64) @ flat[model].astype(np.float64)))
    for fold in (0, 1):
        others = np.array(margins[1 - fold :: 2])
        accuracy = {t: ((others >= t) == member).mean() for t in others.ravel()}
        best = max(accuracy, key=lambda t: accuracy[t])
        expected = [((margins[m] >= best) == member).mean() for m in range(fold, 6, 2)]
        # float32 sums in another order may move a margin across the threshold
        assert found["loss"][fold::2, place] == pytest.approx(expected, abs=2 / 256)


def test_r_q_at_the_first_n_is_that_of_the_first_examples() -> None:
    study = replace(TINY, epochs=6, large_validation=1000)
    arrays, _ = LargeJob(study, study.distributions[0])()
    assert arrays["sizes"].tolist() == [300, 1000] == sizes_up_to(1000)
    large = sample(study, study.distributions[0], Purpose.LARGE)
    own = [own_sample(study, study.distributions[0], 0)]
    block = fresh_fleet(study, own, 0, study.distributions[0]).blocks()[0]
    signs = {tuple(torch.sign(c.flat[0]).tolist()): None for c in TRAINERS["stacked"].train(block)}
    margins = (1 - 2 * large.labels) * (np.array(list(signs)) @ large.features.T.astype(np.float64))
    expected = [float(privacy_rate(np.logaddexp(0, margins[:, :n]))) for n in (300, 1000)]
    assert arrays["r_q"][0, QUANTIZED.index("sign")] == pytest.approx(expected, rel=2e-3)


def test_fleets_of_a_study_do_not_share_data() -> None:
    distribution = TINY.distributions[0]
    drawn = [own_sample(TINY, distribution, 0), own_sample(TINY, distribution, 1)]
    drawn += [
        sample(TINY, distribution, p) for p in (Purpose.VALIDATION, Purpose.TEST, Purpose.POOL, Purpose.POPULATION)
    ]
    firsts = {one.features[0].tobytes() for one in drawn}
    assert len(firsts) == len(drawn)
    assert len({d.mixture.centres.tobytes() for d in Synthetic().distributions}) == 9


def test_findings_rank_and_claims_are_judged(findings: Findings, tables: Tables) -> None:
    strongest = findings.mis[findings.mis["attack"] == "strongest"]
    assert len(strongest) == 9
    assert (strongest["low"] <= strongest["high"]).all()
    assert findings.overall["spearman"].between(-1, 1).all()
    claims = {claim["id"]: claim for claim in STUDY.judge(findings)}
    assert claims["discriminator-no-better"]["holds"] is claims["exact-attack"]["holds"] is None
    differences = claims["fidelity-ranks-as-r_q"]
    by_score = findings.overall.set_index("score")["spearman"]
    assert differences["ours"] == pytest.approx(by_score["minus fidelity"] - by_score["mean r_q"])
    table = tables.accuracy[tables.accuracy["sigma"] == 2.0].groupby("quantizer")["accuracy"].mean()
    assert claims["table2"]["ours"] > 0
    assert claims["table2"]["holds"] is bool(abs(table["sign"] - 0.822) < 1 and claims["table2"]["ours"] <= 0.015)


def test_claims_on_the_exact_ground_truth(findings: Findings, tables: Tables) -> None:
    known = replace(findings, tables=replace(tables, exact={"problems": problems((5, 20))}))
    assert verdicts.no_attack_below(known).holds
    assert verdicts.certificate_below(known).holds
    assert verdicts.slope_is_cramer(known).holds
    broken = known.tables.exact["problems"].assign(loss_bound=0.0, high=0.0)
    known = replace(findings, tables=replace(tables, exact={"problems": broken}))
    assert verdicts.no_attack_below(known).holds is False
    assert verdicts.certificate_below(known).holds is False


def test_settings_are_read_with_every_problem_at_once() -> None:
    assert TINY.changed({"models": 8, "modes": [6, 8]}).modes == (6, 8)
    with pytest.raises(InputError, match=r"(?s)epoch: unknown setting.*epochs.*models"):
        TINY.changed({"epoch": 3, "models": "many"})
    with pytest.raises(InputError, match="epochs: must be at least 2"):
        TINY.changed({"epochs": 1})
    with pytest.raises(InputError, match="No preset 'fast'; there are quick, paper"):
        Synthetic.preset("fast")


def test_the_command_runs_the_study_again() -> None:
    assert Synthetic().command == "quantleak reproduce synthetic --preset paper --out out/synthetic"
    changed = replace(Synthetic.preset("quick"), exact=False, models=41)
    expected = "quantleak reproduce synthetic --preset quick --without exact --set 'models=41' --out out/synthetic"
    assert changed.command == expected


def test_the_price_counts_what_would_be_trained() -> None:
    cost = price(replace(TINY, balanced=False, large_models=0), workers=2)
    assert cost.trainings == 6 + 2
    assert cost.seconds["balanced fleets"] == cost.seconds["discriminators"] == 0
    assert cost.total > 0


def test_r_q_of_a_study_is_algorithm_1() -> None:
    study, distribution = replace(TINY, epochs=12), TINY.distributions[0]
    models = (0, 1, 2)
    arrays, _ = FreshJob(study, distribution, models)()
    own = [own_sample(study, distribution, m) for m in models]
    block = fresh_fleet(study, own, 0, distribution).blocks()[0]
    validation = sample(study, distribution, Purpose.VALIDATION)
    features, sign = torch.from_numpy(validation.features).double(), torch.from_numpy(1 - 2 * validation.labels)
    for place, spec in enumerate(QUANTIZED):
        visited = {
            tuple(quantizer(spec)(c.flat[1].reshape(1, -1)).flatten().tolist()): None
            for c in TRAINERS["stacked"].train(block)
        }
        rows = torch.tensor(list(visited), dtype=torch.float64)
        losses = torch.nn.functional.softplus(sign * (rows @ features.T))
        assert arrays["score/elements"][1, place] == len({tuple(row) for row in losses.float().tolist()})
        assert arrays["score/r_q"][1, place] == pytest.approx(float(privacy_rate(losses)), rel=2e-3, abs=1e-9)
