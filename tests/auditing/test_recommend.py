from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantleak.attacks import Crossed
from quantleak.auditing.recommend import Contender, difference, recommend
from quantleak.report.verdict import Measures
from quantleak.results import Estimate, Exposure, Utility, WorstClass

random = np.random.default_rng(0)
SHARED = random.normal(0, 0.05, 16)  # what all quantizers' targets have in common
SHARED -= SHARED.mean()


def contender(spec: str, bits: float, utility: float, leakage: float, noise: float = 0.002) -> Contender:
    bits, leakage = float(bits), float(leakage)
    kept = Utility(value=utility if np.isfinite(utility) else None, metric="auroc", chance=0.5)
    own = random.normal(0, noise, 16)
    crossed = Crossed(values=leakage + SHARED + own - own.mean(), influence=np.zeros((16, 40)))
    figure = Estimate(value=leakage, low=leakage - 0.03, high=leakage + 0.03)
    return Contender(spec=spec, bits=bits, utility=kept, selection_high=leakage + 0.1, figure=figure, leakage=crossed)


def measures(**changes) -> Measures:
    usual = {"metric": "AUROC", "fpr": 0.01, "utility_loss": 0.02, "level": 0.95, "risk_limit": 0.4}
    return Measures(**(usual | changes))


def told(*contenders: Contender, **changes):
    return recommend({c.spec: c for c in contenders}, measures(**changes))


def worst_class(excess: float, arm: float) -> WorstClass:
    found, alarms = Estimate(value=excess + 0.03, low=excess, high=excess + 0.06), Estimate(value=0.03)
    return WorstClass(
        value=excess, low=excess - arm, high=excess + arm, name="yes", fpr=0.01, found=found, alarms=alarms
    )


ORIGINAL = contender("identity", 32, 0.90, 0.30)


def test_the_least_leaking_quantizer_that_keeps_the_utility_is_recommended() -> None:
    answer = told(
        ORIGINAL, contender("5", 5, 0.90, 0.29), contender("2", 2, 0.885, 0.20), contender("1", 1, 0.70, 0.05)
    )
    assert answer.quantizer == "2"
    assert answer.clear
    assert answer.headline == "Ship 2."
    assert answer.outcome == "ship"
    assert answer.least_leaking == "2"
    assert answer.reason == (
        "The strongest attack finds 20.0% [17.0, 23.0] of the training examples (members) at 1% false alarms; guessing "
        "finds 1%, the risk limit is 41%. In the original it finds 30.0% [27.0, 33.0]. The quantizer's AUROC is 0.885; "
        "the original's is 0.900. 1 has a lower figure, but loses more than 0.02 of AUROC."
    )
    assert answer.sure.startswith("It leaks less than the original, by 9.")
    assert "It leaks least of all that keep enough AUROC; than the next, 5, 8." in answer.sure
    assert answer.sure.endswith("points less.")
    assert set(answer.versus) == {"identity", "5"}
    assert answer.versus["identity"].value == pytest.approx(-0.1)


def test_more_loss_allowed_chooses_otherwise() -> None:
    answer = told(ORIGINAL, contender("2", 2, 0.885, 0.20), contender("1", 1, 0.70, 0.05), utility_loss=0.3)
    assert answer.quantizer == "1"


def test_equal_leakage_is_decided_by_bits_and_is_not_clear() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2), contender("4", 4, 0.9, 0.2))
    assert answer.quantizer == "4"
    assert not answer.clear
    assert answer.headline == "Ship 4. 5 may leak as little."
    assert answer.sure.startswith("It leaks less than the original")
    assert answer.sure.endswith("It cannot be distinguished from 5.")


def test_not_distinguishable_from_the_original_is_said() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2999, noise=0.05))
    assert not answer.clear
    assert answer.outcome == "no gain"
    assert answer.headline == (
        "No measurable gain: even the least leaking quantizer, 5, may leak as much as the original."
    )
    assert answer.sure.startswith("It is not known to leak less than the original: the difference may be chance.")
    assert answer.sure.endswith("There are no other quantizers that keep enough AUROC.")


def test_without_numbers_nothing_is_clear() -> None:
    nothing = Contender(
        spec="x", bits=2.0, utility=Utility(value=0.9, metric="auroc"), selection_high=0.1, figure=Estimate(value=None),
        leakage=Crossed(values=np.full(16, np.nan), influence=np.zeros((16, 40))),
    )  # fmt: skip
    answer = told(ORIGINAL, nothing)
    assert answer.quantizer is None
    assert answer.least_leaking == "x"
    assert "The risk has no upper limit: no interval." in answer.reason
    assert not answer.clear
    assert told(contender("identity", 32, float("nan"), 0.3), nothing).quantizer is None


def test_nothing_usable_is_an_answer() -> None:
    answer = told(ORIGINAL, contender("1", 1, 0.70, 0.05))
    assert answer.quantizer is None
    assert answer.headline == "Ship none of these: each costs too much AUROC."
    assert "No quantizer keeps AUROC within 0.02 of the original's 0.900; the closest, 1, has 0.700." in answer.reason
    assert "--utility-loss" in answer.sure


def test_all_alike_is_said_in_one_word() -> None:
    specs = ("sign", "uniform:2", "uniform:3", "uniform:4", "uniform:5")
    answer = told(ORIGINAL, *(contender(spec, bits, 0.9, 0.2, noise=0.01) for bits, spec in enumerate(specs, 1)))
    assert answer.headline == "Ship 1 bit (sign). Four other quantizers may leak as little."
    assert answer.sure.endswith("It cannot be distinguished from all four others that keep enough AUROC.")


def test_one_that_leaked_less_where_it_was_not_chosen_is_named() -> None:
    chosen, other = contender("sign", 1, 0.9, 0.2), contender("uniform:2", 2, 0.9, 0.15)
    answer = told(ORIGINAL, replace(chosen, selection_high=0.1), other)
    assert answer.quantizer == "sign"
    assert not answer.clear
    assert answer.sure.endswith("On the models that report, 2 bits leaked less.")
    low = Crossed(values=ORIGINAL.leakage.values - 0.2, influence=ORIGINAL.leakage.influence)
    worse = told(replace(ORIGINAL, leakage=low), replace(chosen, selection_high=0.1))
    assert "on the models that report it leaked more" in worse.sure


def test_without_a_rate_the_words_are_of_the_auc() -> None:
    strong = replace(ORIGINAL, figure=Estimate(value=0.7, low=0.6, high=0.8))
    contenders = {c.spec: c for c in (strong, contender("sign", 1, 0.9, 0.2))}
    answer = recommend(contenders, measures(metric="accuracy", fpr=None, level=0.9, risk_limit=0.09))
    assert "an AUC of 0.200 [0.170, 0.230]; guessing has 0.500, the risk limit is 0.590" in answer.reason
    assert " of AUC (90% interval)." in answer.sure
    assert "false alarms" not in answer.reason + answer.sure


def test_where_the_original_is_not_told_from_guessing_nothing_is_named() -> None:
    null = replace(ORIGINAL, figure=Estimate(value=0.012, low=0.009, high=0.016))
    answer = told(null, contender("1", 1, 0.9, 0.011))
    assert (answer.quantizer, answer.clear, answer.versus) == (None, False, {})
    assert answer.headline == "Nothing to choose by: the original itself cannot be distinguished from guessing."
    assert answer.outcome == "nothing to choose"
    assert "finds 1.20% [0.90, 1.60] of the training examples (members) at 1% false alarms" in answer.reason
    assert answer.reason.endswith("in the original; guessing finds 1%.")
    by_auc = told(replace(null, figure=Estimate(value=0.52, low=0.48, high=0.55)), fpr=None)
    assert "has an AUC of 0.520 [0.480, 0.550], in the original; guessing has 0.500." in by_auc.reason
    # Without an interval nobody can say so, and a class that leaks is a leak.
    assert told(replace(null, figure=Estimate(value=0.012)), contender("1", 1, 0.9, 0.011)).quantizer == "1"
    assert told(replace(null, worst_class=worst_class(0.2, 0.1)), contender("1", 1, 0.9, 0.011)).quantizer == "1"
    assert told(replace(null, worst_class=worst_class(0.05, 0.1)), contender("1", 1, 0.9, 0.011)).quantizer is None


def test_above_the_risk_limit_nothing_is_shipped_and_the_least_leaking_is_named() -> None:
    loud, quiet = contender("5", 5, 0.90, 0.29), contender("2", 2, 0.885, 0.20)
    answer = told(ORIGINAL, loud, quiet, risk_limit=0.2)
    assert (answer.quantizer, answer.least_leaking, answer.outcome, answer.clear) == (None, "2", "too risky", False)
    assert answer.headline == "Ship none of these: even the least leaking quantizer, 2, gives away too much."
    assert "the risk limit is 21%" in answer.reason
    assert "The upper end of the quantizer's interval lies more than 20 points above guessing." in answer.reason
    # It is the upper limit, 23%, that counts: 22 points above guessing.
    assert told(ORIGINAL, loud, quiet, risk_limit=0.221).quantizer == "2"
    assert told(ORIGINAL, loud, quiet, risk_limit=0.219).quantizer is None


def test_a_class_above_the_risk_limit_counts_as_much() -> None:
    quiet = replace(contender("2", 2, 0.885, 0.20), worst_class=worst_class(0.619, 0.05))
    answer = told(ORIGINAL, quiet)
    assert (answer.quantizer, answer.least_leaking) == (None, "2")
    assert answer.headline.endswith("even the least leaking quantizer, 2, gives away too much about class 'yes'.")
    assert "In class 'yes' the attack may find 66.9 points more of the members than of the non-members" in answer.reason
    assert answer.whom.startswith(
        "Most is found of class 'yes': 64.9% [61.9, 67.9] of its members, at 3.00% false alarms"
    )
    assert "the difference is +61.90 points [+56.90, +66.90] (95% intervals)" in answer.whom
    assert told(ORIGINAL, quiet, risk_limit=0.67).quantizer == "2"


def test_models_that_have_learned_nothing_are_not_recommended() -> None:
    null = replace(ORIGINAL, utility=Utility(value=0.537, low=0.464, high=0.604, metric="auroc", chance=0.5))
    answer = told(null, contender("1", 1, 0.9, 0.05))
    assert (answer.quantizer, answer.outcome) == (None, "useless")
    assert answer.headline == "No recommendation: the original models predict no better than guessing."
    assert answer.reason.startswith(
        "AUROC is 0.537 [0.464, 0.604]; guessing has 0.500. The strongest attack finds 30.0%"
    )


def test_records_and_persons_are_counted() -> None:
    exposure = Exposure(tested=5000, listed=37, mostly=12, groups=9, groups_mostly=1, models=32)
    answer = told(ORIGINAL, replace(contender("1", 1, 0.9, 0.05), exposure=exposure))
    assert answer.whom == (
        "37 of 5,000 examples (of 9 groups) are exposed beyond chance; 12 (of 1 group) of them are found in more than "
        "half of the models that were trained on them."
    )
    all_found = Exposure(tested=5000, listed=2, mostly=2, models=32)
    answer = told(ORIGINAL, replace(contender("1", 1, 0.9, 0.05), exposure=all_found))
    assert "chance; all of them are found in more than half" in str(answer.whom)
    none = told(ORIGINAL, replace(contender("1", 1, 0.9, 0.05), exposure=Exposure(tested=5000, models=32)))
    assert none.whom == "For no single one of 5,000 examples is it certain that it is exposed."


def test_differences_are_paired() -> None:
    one, two = contender("a", 1, 1.0, 0.20), contender("b", 1, 1.0, 0.21)
    paired = difference(one.leakage, two.leakage, 0.95)
    assert paired.value == pytest.approx(-0.01)
    assert paired.high < 0
    assert paired.high - paired.low < 0.1 * 4 * one.leakage.values.std()
