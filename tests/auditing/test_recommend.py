from __future__ import annotations

import numpy as np

from quantleak.auditing.recommend import Contender, difference, recommend

random = np.random.default_rng(0)
SHARED = random.normal(0, 0.05, 500)  # what all quantizers' resamples have in common


def contender(spec: str, bits: float, utility: float, leakage: float, noise: float = 0.002) -> Contender:
    bits, utility, leakage = float(bits), float(utility), float(leakage)
    resampled = leakage + SHARED + random.normal(0, noise, 500)
    return Contender(
        spec=spec, bits=bits, utility=utility, selection_high=leakage + 0.1, leakage=leakage, resampled=resampled
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
    assert "0.885 (original 0.900)" in answer.reason
    assert "-10.0 points [" in answer.reason
    assert "the runner-up, 5" in answer.reason


def test_more_loss_allowed_chooses_otherwise() -> None:
    answer = told(ORIGINAL, contender("2", 2, 0.885, 0.20), contender("1", 1, 0.70, 0.05), loss=0.3)
    assert answer.quantizer == "1"


def test_equal_leakage_is_decided_by_bits_and_is_not_clear() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2), contender("4", 4, 0.9, 0.2))
    assert answer.quantizer == "4"
    assert not answer.clear
    assert "It cannot be told from" in answer.reason
    assert "5" in answer.reason


def test_not_distinguishable_from_the_original_is_said() -> None:
    answer = told(ORIGINAL, contender("5", 5, 0.9, 0.2999, noise=0.05))
    assert not answer.clear
    assert "the original" in answer.reason


def test_without_numbers_nothing_is_clear() -> None:
    nothing = Contender(
        spec="x", bits=2.0, utility=0.9, selection_high=0.1, leakage=0.2, resampled=np.full(500, np.nan)
    )
    answer = told(ORIGINAL, nothing)
    assert answer.quantizer == "x"
    assert not answer.clear
    assert told(contender("identity", 32, float("nan"), 0.3), nothing).quantizer is None


def test_nothing_usable_is_an_answer() -> None:
    answer = told(ORIGINAL, contender("1", 1, 0.70, 0.05))
    assert answer.quantizer is None
    assert "No quantizer keeps AUROC within 0.02 of the original's 0.900" in answer.reason


def test_differences_are_paired() -> None:
    one, two = contender("a", 1, 1, 0.20), contender("b", 1, 1, 0.21)
    paired = difference(one.leakage, one.resampled, two.leakage, two.resampled, 0.95)
    assert paired.high < 0 < two.resampled.std()
    assert paired.high - paired.low < 0.1 * 4 * one.resampled.std()
