"""What installed packages bring is found, named in messages, and refused with the package's name when it is wrong."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from quantleak.attacks import NamedAttack, installed_attack, installed_attacks
from quantleak.data import descriptions, named
from quantleak.errors import InputError
from quantleak.quantizers import available, quantizer
from quantleak.testing import check_attack, check_quantizer, check_source

ATTACKS, QUANTIZERS, SOURCES = "quantleak.attacks", "quantleak.quantizers", "quantleak.sources"


def test_a_quantizer_is_found_listed_and_passes_the_suite(install) -> None:
    install({QUANTIZERS: {"half": "made_up:Half"}})
    assert quantizer("half").spec == "half"
    assert ("half", "Weights rounded to halves.") in {(line.name, line.description) for line in available()}
    check_quantizer("half", idempotent=True)


def test_an_attack_is_found_listed_and_passes_the_suite(install) -> None:
    install({ATTACKS: {"gap": "made_up:gap"}})
    attack = installed_attack("gap")
    assert attack.to_dict() == {"name": "gap", "mean": "plain"}
    assert [found.name for found in installed_attacks()] == ["gap"]
    check_attack(attack)


def test_a_source_is_found_listed_given_its_text_and_passes_the_suite(install) -> None:
    install({SOURCES: {"hospital": "made_up:hospital"}})
    assert named("hospital").name == "hospital "
    assert named("hospital:Lyon").name == "hospital Lyon"
    assert descriptions()["hospital"] == "Patients of a hospital; the text is its town."
    check_source(lambda text: named(f"hospital:{text}"), "Lyon")


def test_bundled_names_are_not_taken_over(install) -> None:
    install({SOURCES: {"wine": "made_up:hospital"}, QUANTIZERS: {"sign": "made_up:Half"}})
    assert len(named("wine")) == 178
    assert descriptions()["wine"].startswith("178 wines")
    assert quantizer("sign").effective_bits((3,)) == 1


def test_a_near_miss_is_told(install) -> None:
    install({ATTACKS: {"gap": "made_up:gap"}, SOURCES: {"hospital": "made_up:hospital"}})
    with pytest.raises(InputError, match=r"offers the attack 'gaps'\. Did you mean 'gap'\?"):
        installed_attack("gaps")
    with pytest.raises(InputError, match=r"Unknown data set 'hospitl'\. Did you mean 'hospital'\?"):
        named("hospitl")


@pytest.mark.parametrize(
    ("group", "name", "value", "told"),
    [
        (ATTACKS, "gap", "made_up:Half", "not a quantleak.attacks.NamedAttack of that name"),
        (ATTACKS, "gap", "made_up:misnamed", "not a quantleak.attacks.NamedAttack of that name"),
        (ATTACKS, "gap", "made_up:missing", "cannot be loaded from made_up:missing"),
        (ATTACKS, "gap", "no_such_module:gap", "cannot be loaded from no_such_module:gap"),
        (QUANTIZERS, "gap", "made_up:gap", "not a Quantizer class"),
        (SOURCES, "gap", "made_up:MODULE_CONSTANT", "cannot be loaded"),
        (SOURCES, "gap", "made_up:np.pi", "is not a function"),
        (SOURCES, "gap", "made_up:nothing", "gave NoneType, not a quantleak.data.Dataset"),
    ],
)
def test_what_is_wrong_is_refused_with_the_name_of_the_package(install, group, name, value, told) -> None:
    install({group: {name: value}})
    ask = {ATTACKS: installed_attack, QUANTIZERS: quantizer, SOURCES: named}[group]
    with pytest.raises(InputError, match=told) as caught:
        ask(name)
    assert "made_up 1.2" in str(caught.value)


def test_two_packages_of_one_name_are_not_chosen_between(install) -> None:
    install({ATTACKS: {"gap": "made_up:gap"}})
    install({ATTACKS: {"gap": "other:gap"}}, name="other")
    with pytest.raises(InputError, match=r"Two packages offer 'gap'.*made_up 1\.2.*other 1\.2|other 1\.2.*made_up"):
        installed_attack("gap")


def test_loading_is_logged_and_not_printed(install, caplog, capsys) -> None:
    install({ATTACKS: {"gap": "made_up:gap"}})
    with caplog.at_level(logging.INFO, logger="quantleak"):
        installed_attack("gap")
    assert "quantleak.attacks 'gap' comes from made_up 1.2" in caplog.text
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("scores", [np.zeros(3), np.zeros((2, 2)), np.array([0.0, np.nan]), np.float64(0)])
def test_scores_that_cannot_be_are_refused_by_name(scores) -> None:
    attack = NamedAttack(name="odd", description="", score=lambda target, shadows, member, *, use: scores)
    shadows = np.zeros((4, 2))
    with pytest.raises(InputError, match="'odd' must give one number for each of 2 examples"):
        attack(np.zeros(2), shadows, shadows > 0, use=shadows == 0)


@pytest.mark.parametrize("signal", ["logits", ""])
def test_a_signal_that_nobody_knows_is_refused(signal) -> None:
    attack = NamedAttack(name="odd", description="", score=len)
    # Past the constructor, whose types are checked while testing but not at a user's.
    object.__setattr__(attack, "signal", signal)
    with pytest.raises(InputError, match="log_odds, log_probability"):
        attack.__post_init__()
