"""The page, the summary and the claims of a small study that was run, and what it would have cost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.studies.vision.tiny import Tiny, few_iterations

from quantleak.cli.reproduce import _duration
from quantleak.engines import Runner
from quantleak.errors import InputError
from quantleak.studies.vision import STUDY, Findings, Vision
from quantleak.studies.vision.claims import CLAIMS
from quantleak.studies.vision.price import price
from quantleak.studies.vision.words import headlines


@pytest.fixture(scope="module")
def page(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page")

    def ran(settings: Vision, runner: Runner) -> Findings:
        return tiny.found

    replace(STUDY, run=ran).reproduce(tiny.study, out, workers=1)
    return out


def test_every_file_is_there_and_the_claims_have_no_nan(page: Path) -> None:
    claims = json.loads((page / "claims.json").read_text(), parse_constant=pytest.fail)
    assert [claim["id"] for claim in claims] == [claim.id for claim in CLAIMS]
    assert len({claim["id"] for claim in claims}) == len(claims)
    assert {claim["holds"] for claim in claims} <= {True, False, None}
    assert {path.name for path in page.iterdir()} >= {"index.html", "summary.md", "claims.json", "figures"}


def test_the_page_says_one_pool_and_over_what_intervals_are(page: Path) -> None:
    text = (page / "index.html").read_text()
    assert "One pool:" in text
    assert "95% intervals over targets and examples" in text
    assert "Thresholds were written before any figure of the run was looked at." in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_headlines_name_what_was_computed(tiny: Tiny) -> None:
    sentences = headlines(tiny.found, STUDY.judge(tiny.found))
    online = tiny.found.toy[tiny.found.toy["attack"] == "online"].set_index("scores")["auc"]
    assert f"(AUC {online['target mapped']:.3f})" in sentences[-2]
    holds = sum(claim["holds"] is True for claim in STUDY.judge(tiny.found))
    assert f"Of {len(CLAIMS)} claims {holds} hold" in sentences[-1]


def test_what_to_ship_is_the_least_leaking_that_keeps_the_accuracy(tiny: Tiny) -> None:
    utility, attacks = tiny.found.utility.copy(), tiny.found.attacks.copy()
    widths = utility["part"] == "width"
    utility.loc[widths, "lost"] = 0.5
    kept = list(utility[widths]["quantizer"][:2])
    utility.loc[utility["quantizer"].isin(kept), "lost"] = 0.01
    strongest = (attacks["attack"] == "strongest") & (attacks["mode"] == "any") & (attacks["metric"] == "tpr@0.01")
    attacks = attacks[~strongest]
    rows = [
        {
            "data": "digits",
            "quantizer": spec,
            "attack": "strongest",
            "mode": "any",
            "metric": "tpr@0.01",
            "value": value,
        }
        for spec, value in ((kept[0], 0.3), (kept[1], 0.1), ("identity", 0.4), ("rtn:2", 0.01))
    ]
    found = replace(tiny.found, utility=utility, attacks=pd.concat([attacks, pd.DataFrame(rows)]))
    (sentence,) = [one for one in headlines(found, []) if "What to ship" in one]
    assert "(10.0% found at 1% false alarms, 40.0% in the original" in sentence
    nothing = replace(found, utility=utility.assign(lost=0.5))
    assert any("No quantized network loses at most" in one for one in headlines(nothing, []))


def test_the_price_grows_with_what_is_run() -> None:
    study = Vision.preset("quick").changed(
        {"network": "conv:4", "smaller": "conv:2", "models": 4, "pool": 200, "calibration_examples": 16}
    )
    with few_iterations():
        one = price(study, workers=1)
        more = price(study.changed({"epochs": 300, "models": 8}), workers=1)
    assert one.trainings == 8
    assert list(one.seconds) == ["train", "quantize", "evaluate", "small networks", "attack"]
    assert all(seconds > 0 for seconds in one.seconds.values())
    assert more.seconds["train"] > 4 * one.seconds["train"]
    assert more.megabytes == pytest.approx(2 * one.megabytes)
    assert _duration(one.total)


def test_data_that_are_not_there_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Give --data-dir FOLDER"):
        STUDY.find(Vision.preset("cpu"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_finished_study_is_found_again_in_its_folder(tiny: Tiny) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in (tiny.folder / "jobs").glob("*.npz")}
    with few_iterations():
        found = STUDY.find(tiny.study, tiny.folder, workers=1)
    pd.testing.assert_frame_equal(found.gaps, tiny.found.gaps)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
