"""The page, the summary and the claims of a small study that was run, and what it would have cost."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.tiny import Tiny, few_iterations

from quantleak.cli.reproduce import _duration
from quantleak.engines import Runner
from quantleak.errors import InputError
from quantleak.studies.vision import STUDY, Findings, Vision
from quantleak.studies.vision.claims import CLAIMS
from quantleak.studies.vision.figures.drawing import NAMES, width_name
from quantleak.studies.vision.findings import METRIC
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
    assert text.count("one pool") >= 3
    assert "95% intervals over targets and examples" in text
    assert "Thresholds were written before any figure of the run was looked at." in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_headlines_name_what_was_computed(tiny: Tiny) -> None:
    claims = STUDY.judge(tiny.found)
    sentences = headlines(tiny.found, claims)
    online = tiny.found.toy[tiny.found.toy["attack"] == "online"].set_index("scores")["auc"]
    assert f"an AUC of {online['target mapped']:.3f}" in sentences[-2]
    holds = sum(claim["holds"] is True for claim in claims)
    assert f"Of {len(CLAIMS)} claims {holds} hold" in sentences[-1]
    for mode in ("transfer", "adaptive"):
        judged = [c for c in claims if c["source"] == "paper B" and c["id"].endswith(mode) and c["holds"] is not None]
        assert f"{sum(c['holds'] for c in judged)} of {len(judged)} hold" in sentences[0]
    gaps = tiny.found.gaps
    for width, words in (("2", "At 2 bits"), ("ternary", "At ternary")):
        (sentence,) = [one for one in sentences if one.startswith(words)]
        rows = gaps[(gaps["attack"] == "lira-online") & (gaps["metric"] == METRIC) & (gaps["width"] == width)]
        rows = rows[rows["part"] == "width"].set_index("method")
        assert f"finds {100 * rows['original'].iloc[0]:.1f}% of the members in the originals" in sentence
        least = 100 * max(0.0, rows.loc[["adaround", "brecq", "obq"], "adaptive"].min())
        assert f"{least:.1f}%" in sentence.partition("and")[2] or f"and {least:.1f}%" in sentence
        assert f"{100 * rows['difference']['all three']:+.1f} points" in sentence


def test_a_share_whose_interval_holds_zero_is_called_uncertain(tiny: Tiny) -> None:
    gaps = tiny.found.gaps.copy()
    pooled = (gaps["method"] == "all three") & (gaps["attack"] == "lira-online") & (gaps["metric"] == METRIC)
    gaps.loc[pooled, ["share", "share_low", "share_high"]] = [0.3, -0.1, 0.7]
    doubtful = [one for one in headlines(replace(tiny.found, gaps=gaps), []) if one.startswith("At ")]
    assert all("30% [-10, 70] is mismatch" in one and "none of it is certain" in one for one in doubtful)
    gaps.loc[pooled, "share_low"] = 0.1
    certain = [one for one in headlines(replace(tiny.found, gaps=gaps), []) if one.startswith("At ")]
    assert len(certain) == 2
    assert not any("none of it is certain" in one for one in certain)
    gaps.loc[pooled, "share"] = np.nan
    without = [one for one in headlines(replace(tiny.found, gaps=gaps), []) if one.startswith("At ")]
    assert all("no share is given" in one for one in without)


def shipping(tiny: Tiny, leaks: dict[str, float], lost: dict[str, float]) -> str:
    """The sentence on what to ship of a made-up world: TPR of the strongest attack, the same for all targets."""
    utility = tiny.found.utility.copy()
    utility["lost"] = [lost.get(name, 0.5) for name in utility["quantizer"]]
    one = copy.copy(tiny.one)
    zero = np.zeros((8, 40))
    outputs = {
        spec: SimpleNamespace(
            columns={"strongest/any/tpr@0.01": np.full(8, value), "strongest/adaptive/tpr@0.01": np.full(8, value)},
            influence={"strongest/any/tpr@0.01": zero, "strongest/adaptive/tpr@0.01": zero},
        )
        for spec, value in leaks.items()
    }
    object.__setattr__(one, "outputs", outputs)
    figure = {"data": "digits", "attack": "strongest", "mode": "any", "metric": METRIC}
    rows = [figure | {"quantizer": spec, "value": v, "low": v / 2, "high": 1.5 * v} for spec, v in leaks.items()]
    found = replace(tiny.found, utility=utility, measured={"digits": one}, attacks=pd.DataFrame(rows))
    (sentence,) = [one for one in headlines(found, []) if "What to ship" in one]
    return sentence


def test_what_to_ship_is_the_least_leaking_that_keeps_the_accuracy(tiny: Tiny) -> None:
    specs = [spec for spec, row in tiny.one.rows.items() if row.part == "width" and row.method != "rtn"][:3]
    leaks = {"identity": 0.4, specs[0]: 0.3, specs[1]: 0.1, specs[2]: 0.01}
    sentence = shipping(tiny, leaks, {specs[0]: 0.01, specs[1]: 0.01})
    row = tiny.one.rows[specs[1]]
    assert f"{NAMES[row.method]} at {width_name(row.width)} has the lowest upper limit" in sentence
    assert "finds 10.0% [5.0, 15.0] of the members, 40.0% in the original" in sentence
    assert "certainly leaks less than the original and than all others" in sentence
    assert "That it leaks less than the original is not certain" in shipping(
        tiny, leaks | {specs[1]: 0.4, specs[0]: 0.5}, {specs[0]: 0.01, specs[1]: 0.01}
    )
    alike = shipping(tiny, leaks | {specs[0]: 0.1}, {specs[0]: 0.01, specs[1]: 0.01})
    assert "but not certainly less than" in alike
    assert "nothing that loses at most 0.02 of accuracy can be judged" in shipping(tiny, {"identity": 0.4}, {})


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
