"""The gate: what passes, what fails and by how much, and its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np
import pytest

from quantleak.auditing import AuditResult
from quantleak.errors import InputError
from quantleak.gate.files import junit, summary
from quantleak.gate.gating import gate
from quantleak.gate.limits import Limits
from quantleak.results import Estimate, Recommendation, WorstClass
from quantleak.scores.attack import attack_scores

Made = Callable[..., AuditResult]


def test_every_attack_is_judged_and_the_largest_upper_limit_decides(made: Made) -> None:
    # Against 90% sparsity lira finds 5% [4, 6], loss 4.5% [1.5, 7.5]: the weaker attack has the larger upper limit.
    result = gate(made(), Limits.read(["0.01:0.07"], quantizers=["ternary:0.9"]))
    (check,) = result.checks
    assert not result.passed
    assert check.attack == "loss (adaptive)"
    assert check.judged == pytest.approx(0.075)
    assert check.verdict() == "over by 0.50 points"
    assert gate(made(), Limits.read(["0.01:0.076"], quantizers=["ternary:0.9"])).passed


def test_values_are_judged_on_demand(made: Made) -> None:
    (check,) = gate(made(), Limits.read(["0.01:0.07"], on="value", quantizers=["ternary:0.9"])).checks
    assert check.passed
    assert (check.attack, check.judged) == ("lira-online (adaptive)", pytest.approx(0.05))


def test_all_quantizers_but_the_original_are_judged(made: Made) -> None:
    result = gate(made(), Limits.read(["0.01:0.3"], max_auc=0.6))
    assert [(check.quantizer, check.measure, check.passed) for check in result.checks] == [
        ("uniform:5", "TPR at 1% FPR", True),
        ("uniform:5", "AUC", False),
        ("ternary:0.9", "TPR at 1% FPR", True),
        ("ternary:0.9", "AUC", True),
    ]
    assert result.headline() == "Gate not met: 1 of 4 checks failed."
    assert "over by 0.110" in str(result)
    assert "RMIA needs more shadows" in str(result)
    assert [check.quantizer for check in gate(made(), Limits.read(["0.01:0.3"], quantizers=["identity"])).checks] == [
        "identity"
    ]


def test_a_rate_without_support_fails_with_its_reason(made: Made) -> None:
    result = gate(made(), Limits.read(["0.001:0.9"]))
    assert not result.passed
    assert {check.verdict() for check in result.checks} == {
        "cannot be judged: FPR 0.001 needs 1999 non-members per target, there are 450"
    }


def test_a_figure_without_an_interval_or_attack_fails(made: Made) -> None:
    audit = made()
    bare = [replace(attack, auc=Estimate(value=0.51)) for attack in audit["uniform:5"].attacks]
    limits = Limits.read(max_auc=0.9, quantizers=["uniform:5"])
    for attacks in (bare, bare[2:], []):
        changed = replace(audit, quantizers=[replace(audit["uniform:5"], attacks=attacks)])
        assert not gate(changed, limits).passed
    changed = replace(audit, quantizers=[replace(audit["uniform:5"], attacks=bare)])
    assert gate(changed, replace(limits, on="value")).passed


def test_the_recommended_one_can_be_named(made: Made) -> None:
    limits = Limits.read(["0.01:0.1"], quantizers=["recommended"])
    assert [check.quantizer for check in gate(made(), limits).checks] == ["ternary:0.9"]
    none = made(recommended=Recommendation(quantizer=None, reason="None keeps AUROC.", clear=False))
    (check,) = gate(none, limits).checks
    assert check.verdict() == "cannot be judged: the audit recommends no quantizer"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Give a limit"),
        ({"max_tpr": ["0.01"]}, "takes FPR:LIMIT"),
        ({"max_tpr": ["a:b"]}, "takes FPR:LIMIT"),
        ({"max_tpr": ["0.01:nan"]}, "takes FPR:LIMIT"),
        ({"max_tpr": ["0.05:0.01"]}, "can never be met"),
        ({"max_tpr": ["0.01:5"]}, "must lie in 0 to 1"),
        ({"max_auc": 0.4}, "between 0.5"),
        ({"max_auc": 0.6, "on": "low"}, "--on must be high or value"),
        ({"max_tpr": ["0.05:0.1"]}, "was not measured, only TPR at FPR 0.001, 0.01"),
        ({"max_auc": 0.6, "quantizers": ["uniform:3"]}, "no quantizer 'uniform:3'"),
        ({"max_auc": 0.6, "quantizers": ["unifrom:5"]}, "Did you mean 'uniform'"),
    ],
)
def test_limits_that_make_no_sense_are_refused(made: Made, given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        gate(made(), Limits.read(**given))


def test_own_scores_can_be_gated_too() -> None:
    random = np.random.default_rng(0)
    member = random.random((8, 400)) < 0.5
    result = attack_scores({"scores": member + 2 * random.normal(size=member.shape), "member": member})
    assert gate(result, Limits.read(max_auc=0.75)).passed
    assert not gate(result, Limits.read(max_auc=0.55)).passed
    with pytest.raises(InputError, match="leave out --quantizer"):
        gate(result, Limits.read(max_auc=0.55, quantizers=["sign"]))


def test_the_files_say_the_same(made: Made) -> None:
    result = gate(made(), Limits.read(["0.01:0.3"], max_auc=0.6))
    suites = xml.fromstring(junit(result))
    assert (suites.get("tests"), suites.get("failures")) == ("4", "1")
    cases = suites.findall("testsuite/testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert [case.get("classname") for case in failed] == ["quantleak.gate.uniform:5"]
    assert "over by 0.110" in str(failed[0].find("failure").get("message"))
    text = summary(result)
    assert text.startswith("## Gate not met: 1 of 4 checks failed.")
    assert sum(line.startswith("|") for line in text.splitlines()) == 2 + 4
    assert result.to_frame()["passed"].tolist() == [True, False, True, True]


def test_names_cannot_break_the_files(made: Made, tmp_path: Path) -> None:
    audit = made()
    nasty = 'x"]]>|<script>\x00\n'
    audit = replace(audit, quantizers=[replace(audit["uniform:5"], spec=nasty)])
    result = gate(audit, Limits.read(max_auc=0.6))
    case = xml.fromstring(junit(result)).find("testsuite/testcase")
    assert case.get("classname") == 'quantleak.gate.x"]]>|<script>??'
    assert "<script>" not in summary(result)
    assert all(line.count(" | ") == 6 for line in summary(result).splitlines() if line.startswith("| FAIL"))


def with_class(audit: AuditResult, excess: float, unjudged: list[str] | None = None) -> AuditResult:
    """The audit, its 90% sparse models leaking a class by so much, give or take 2 points, at 1% false alarms."""
    figure = Estimate(value=excess, low=excess - 0.02, high=excess + 0.02)
    worst = WorstClass(**vars(figure), name="yes", fpr=0.01, found=figure, alarms=Estimate(value=0.03))
    rows = [replace(row, classes=[worst], unjudged=unjudged or []) for row in audit.quantizers]
    return replace(audit, quantizers=rows)


def test_the_worst_class_is_held_against_what_the_limit_leaves_beyond_guessing(made: Made) -> None:
    limits = Limits.read(["0.01:0.3"], quantizers=["ternary:0.9"])
    overall, of_class = gate(with_class(made(), 0.26), limits).checks
    assert overall.passed
    assert of_class.measure == "class yes: members found minus false alarms, at 1% FPR"
    assert of_class.attack == "lira-online (adaptive)"
    assert (of_class.limit, of_class.judged, of_class.passed) == (0.29, pytest.approx(0.28), True)
    assert not gate(with_class(made(), 0.619), limits).passed
    assert gate(with_class(made(), 0.28), replace(limits, on="value")).passed


def test_classes_with_few_examples_are_named_and_fail_only_on_demand(made: Made) -> None:
    limits = Limits.read(["0.01:0.3"], quantizers=["ternary:0.9"])
    audit = with_class(made(), 0.1, ["rare", "rarer"])
    result = gate(audit, limits)
    assert result.passed
    assert "Classes not judged, for they have too few examples: rare and rarer." in str(result)
    strict = gate(audit, replace(limits, require_classes=True))
    assert not strict.passed
    assert "cannot be judged: too few examples to judge by class: rare and rarer" in str(strict)
    assert not gate(made(), replace(limits, require_classes=True)).passed
    assert gate(made(task="regression"), replace(limits, require_classes=True)).passed


@pytest.mark.parametrize("name", ["90% sparse", "90% Sparse (ternary:0.9)", "ternary:0.90"])
def test_quantizers_go_by_the_names_of_the_report(made: Made, name: str) -> None:
    (check,) = gate(made(), Limits.read(["0.01:0.3"], quantizers=[name])).checks
    assert check.quantizer == "ternary:0.9"
