"""The privacy card says what the result says, in Markdown that shows nothing but text."""

import json
import re
from dataclasses import replace

import pytest

from quantleak.errors import InputError
from quantleak.report.pages.card import card, markdown
from quantleak.results import RateSummary, Recommendation

HOSTILE = "<img src=x onerror=alert(1)>[x](javascript:alert(1))|`*\n# http://x.y"


def test_values_are_those_of_the_recommended_quantizer(make):
    result = make()
    values = card(result)
    chosen, original = result["ternary:0.9"], result["identity"]
    assert values["quantizer"] == "ternary:0.9"
    assert values["leakage"]["value"] == chosen.worst.value
    assert (values["leakage"]["attack"], values["leakage"]["fpr"]) == ("lira-online", 0.01)
    assert values["original_leakage"]["low"] == original.worst.low
    assert values["utility"] == {
        "metric": "auroc",
        "value": 0.848,
        "low": 0.844,
        "high": chosen.utility.high,
        "reason": None,
    }
    assert values["r_q"]["resolution"] == chosen.rate.resolution
    assert values["cramer"]["certified"] == 3
    assert values["settings"] == result.settings
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_another_quantizer_can_be_asked_for(make):
    result = make()
    assert card(result, "uniform:3")["in_words"] == "3 bits"
    nothing = replace(result, recommended=Recommendation(quantizer=None, reason="None.", clear=False))
    assert card(nothing)["quantizer"] == "identity"
    with pytest.raises(InputError, match="no quantizer 'uniform:9'"):
        card(result, "uniform:9")


def test_the_text_has_every_part(make):
    text = markdown(card(make()))
    for part in (
        "## Privacy", "**90% sparse** (`ternary:0.9`, 1.60 bits per weight)", "**Threat model.**", "**Limits.**",
        "**How it was measured.**", "strongest of 13 attacks", "Settings: model mlp:128;", "quantleak 0.1.0",
        "quantleak audit --data AMES.csv", "**Theory.** r\\_Q = 0.00203",
    ):  # fmt: skip
        assert part.replace("r\\_Q", "r_Q") in text, part
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    assert "Members found at 1% false alarms | 1.39% \\[1.11, 1.72\\] | 9.12%" in text


def test_gaps_are_said(make, case):
    result = make(case(fpr=None, intervals=False))
    text = markdown(card(result, "identity"))
    assert "AUC of the attack | 0.683 | 0.683" in text
    assert "(not a discrete set)" in text


def test_nothing_from_the_data_becomes_markup(make):
    result = make()
    first, *rest = result.quantizers
    broken = replace(
        first, worst=replace(first.worst, name=HOSTILE, mode=HOSTILE), rate=RateSummary(value=None, reason=HOSTILE)
    )
    recommended = Recommendation(quantizer=None, reason=HOSTILE, clear=False, headline=HOSTILE, sure=HOSTILE)
    text = markdown(
        card(
            replace(
                result,
                task=HOSTILE,
                data={**result.data, "name": HOSTILE, "target": HOSTILE, "columns": [HOSTILE]},
                recommended=recommended,
                quantizers=[broken, *rest],
                settings={HOSTILE: HOSTILE},
                versions={HOSTILE: HOSTILE},
            )
        )
    )
    *shown, command, _, last = text.rstrip().splitlines()
    assert command.startswith("    quantleak audit ")  # a code block, in which nothing has a meaning
    assert last.startswith("All values")
    for line in shown:
        assert "<" not in line
        assert not re.search(r"(?<!\\)\]\(", line)
        assert not line.startswith("#") or line.startswith("## Privacy")
        assert "://" not in line
    rows = [line for line in shown if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1
