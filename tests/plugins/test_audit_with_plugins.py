"""A whole audit with a quantizer, an attack and a data source of another package."""

from __future__ import annotations

import pytest

import quantleak as ql
from quantleak.auditing.settings import read_settings
from quantleak.data import named

POINTS = {
    "quantleak.attacks": {"gap": "made_up:gap"},
    "quantleak.quantizers": {"half": "made_up:Half"},
    "quantleak.sources": {"hospital": "made_up:hospital"},
}
SMALL = {"models": 4, "epochs": 2, "model": "linear", "workers": 1}


def test_an_audit_runs_what_other_packages_bring(install) -> None:
    install(POINTS)
    result = ql.audit(named("hospital:Lyon"), quantizers=("half",), extra_attacks=("gap",), **SMALL)
    assert [each.spec for each in result.quantizers] == ["identity", "half"]
    found = {(attack.name, attack.mode): attack for attack in result["half"].attacks}
    modes = {mode for name, mode in found if name == "gap"}
    assert modes == {"adaptive", "transfer", "recalibrated"}
    assert found["gap", "adaptive"].convention == {"name": "gap", "mean": "plain"}
    assert found["gap", "adaptive"].auc.value is not None
    assert list(result.settings["extra_attacks"]) == ["gap"]


def test_installed_but_not_asked_for_changes_nothing(install) -> None:
    install(POINTS)
    result = ql.audit(named("hospital"), quantizers=("sign",), **SMALL)
    assert "gap" not in {attack.name for attack in result["sign"].attacks}


def test_the_setting_takes_one_text_and_tells_what_is_not_installed(install) -> None:
    install(POINTS)
    assert read_settings({"extra_attacks": "gap"}).extra_attacks == ("gap",)
    assert read_settings({"extra_attacks": "gap,gap"}).extra_attacks == ("gap",)
    with pytest.raises(ql.InputError, match="'lira-online' is the name of a built-in attack"):
        read_settings({"extra_attacks": "lira-online"})
    with pytest.raises(ql.InputError, match=r"extra_attacks: .*'gab'\. Did you mean 'gap'\?"):
        read_settings({"extra_attacks": ["gab"]})
