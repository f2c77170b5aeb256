from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantleak.attacks import Crossed
from quantleak.auditing.recommend import Contender, difference, recommend
from quantleak.results import Estimate

random = np.random.default_rng(0)
SHARED = random.normal(0, 0.05, 16)  # what all quantizers' targets have in common
SHARED -= SHARED.mean()


def contender(spec: str, bits: float, utility: float, leakage: float, noise: float = 0.002) -> Contender:
    bits, utility, leakage = float(bits), float(utility), float(leakage)
    own = random.normal(0, noise, 16)
    crossed = Crossed(values=leakage + SHARED + own - own.mean(), influence=np.zeros((16, 40)))
    figure = Estimate(value=leakage, low=leakage - 0.03, high=leakage + 0.03)
    return Contender(
        spec=spec, bits=bits, utility=utility, selection_high=leakage + 0.1, figure=figure, leakage=crossed
    )


def told(*contenders: Contender, loss: float = 0.02):
    return recommend({c.spec: c for c in contenders}, "AUROC", 0.01, loss, 0.95)


ORIGINAL = contender("identity", 32, 0.90, 0.30)


def test_the_least_leaking_quantizer_that_keeps_the_utility_is_recommended() -> None:
    answer = told(
        ORIGINAL, contender("5", 5, 0.90, 0.29), contender("2", 2, 0.885, 0.20), contender("1", 1, 0.70, 0.05)
    )
    assert answer.quantizer == "2"
    assert answer.clear
    assert answer.headline == "Ship 2."
    assert (
        "finds 20.0% of the members (training examples) instead of the original's 30.0%, at 1% false alarms"
        in answer.reason
    )
    assert "AUROC is 0.885 instead of 0.900. 1 leaks less, but costs more AUROC than the 0.02 that may be lost." in (
        answer.reason
    )
    assert answer.sure.startswith("Sure that it leaks less than the original: by 9.")
    assert "Sure that it leaks least of those that keep enough AUROC: 8." in answer.sure
    assert "less than the next, 5." in answer.sure
    assert set(answer.versus) == {"identity", "5"}
    assert answer.versus["identity"].value == pytest.approx(-0.1)


def test_more_loss_allowed_chooses_otherwise() -> None:
    answer = told(ORIGINAL, contender("2", 2, 0.885, 0.20), contender("1", 1, 0.70, 0.05), loss=0.3)
    assert answer.quantizer == "1"


def test_equal_leakage_is_decided_by_bits_and_is_not_clear() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2), contender("4", 4, 0.9, 0.2))
    assert answer.quantizer == "4"
    assert not answer.clear
    assert answer.headline == "Ship 4; 5 may do as well."
    assert answer.sure.startswith("Sure that it leaks less than the original")
    assert (
        "Not sure that it leaks least of those that keep enough AUROC: 5 cannot be distinguished from it."
        in answer.sure
    )


def test_not_distinguishable_from_the_original_is_said() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2999, noise=0.05))
    assert not answer.clear
    assert answer.headline == "No measurable gain: even the best candidate, 5, may leak as much as the original."
    assert answer.sure.startswith("Not sure that it leaks less than the original: the difference may be chance.")
    assert "No other quantizer keeps enough AUROC" in answer.sure


def test_without_numbers_nothing_is_clear() -> None:
    nothing = Contender(
        spec="x", bits=2.0, utility=0.9, selection_high=0.1, figure=Estimate(value=None),
        leakage=Crossed(values=np.full(16, np.nan), influence=np.zeros((16, 40))),
    )  # fmt: skip
    answer = told(ORIGINAL, nothing)
    assert answer.quantizer == "x"
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
    assert answer.headline == "Ship 1 bit (sign); four others may do as well."
    assert "none of the four others can be distinguished from it" in answer.sure


def test_one_that_leaked_less_where_it_was_not_chosen_is_named() -> None:
    chosen, other = contender("sign", 1, 0.9, 0.2), contender("uniform:2", 2, 0.9, 0.15)
    answer = told(ORIGINAL, replace(chosen, selection_high=0.1), other)
    assert answer.quantizer == "sign"
    assert not answer.clear
    assert "AUROC: 2 bits leaked less on the models that did not choose." in answer.sure
    low = Crossed(values=ORIGINAL.leakage.values - 0.2, influence=ORIGINAL.leakage.influence)
    worse = told(replace(ORIGINAL, leakage=low), replace(chosen, selection_high=0.1))
    assert "it leaked more" in worse.sure


def test_without_a_rate_the_words_are_of_the_auc() -> None:
    strong = replace(ORIGINAL, figure=Estimate(value=0.7, low=0.6, high=0.8))
    contenders = {c.spec: c for c in (strong, contender("sign", 1, 0.9, 0.2))}
    answer = recommend(contenders, "accuracy", None, 0.02, 0.9)
    assert "AUC 0.200 instead of the original's 0.300 (0.5: guessing)" in answer.reason
    assert " of AUC, at 90% confidence." in answer.sure
    assert "false alarms" not in answer.reason + answer.sure


def test_where_the_original_is_not_told_from_guessing_nothing_is_named() -> None:
    null = replace(ORIGINAL, figure=Estimate(value=0.012, low=0.009, high=0.016))
    answer = told(null, contender("1", 1, 0.9, 0.011))
    assert (answer.quantizer, answer.clear, answer.versus) == (None, False, {})
    assert answer.headline == "Nothing to choose by: the original itself cannot be distinguished from guessing."
    assert "finds 1.20% [0.90, 1.60] of the members at 1% false alarms; guessing finds 1.00% of them" in answer.reason
    by_auc = recommend(
        {"identity": replace(null, figure=Estimate(value=0.52, low=0.48, high=0.55))}, "AUROC", None, 0.02, 0.95
    )
    assert "has AUC 0.520 [0.480, 0.550]; guessing has 0.500." in by_auc.reason
    # Without an interval nobody can say so.
    assert told(replace(null, figure=Estimate(value=0.012)), contender("1", 1, 0.9, 0.011)).quantizer == "1"


def test_differences_are_paired() -> None:
    one, two = contender("a", 1, 1, 0.20), contender("b", 1, 1, 0.21)
    paired = difference(one.leakage, two.leakage, 0.95)
    assert paired.value == pytest.approx(-0.01)
    assert paired.high < 0
    assert paired.high - paired.low < 0.1 * 4 * one.leakage.values.std()
