from __future__ import annotations

import pytest

from quantleak.auditing import Settings
from quantleak.auditing.settings import override, read_settings
from quantleak.errors import InputError


def test_defaults_audit_the_eight_of_the_paper_and_the_original() -> None:
    settings = Settings()
    assert settings.quantizers[0] == "identity"
    assert len(settings.quantizers) == 9


def test_specs_are_canonical_and_the_original_is_always_there_once() -> None:
    settings = read_settings({"quantizers": ["uniform?bits=4", "uniform:4", "identity"], "optimizer": "adam"})
    assert settings.quantizers == ("identity", "uniform:4")
    assert settings.optimizer == "adam:0.001"


def test_texts_from_flags_become_numbers() -> None:
    assert read_settings({"models": "8", "utility_loss": "0.1"}) == Settings(models=8, utility_loss=0.1)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        read_settings({"modles": 4, "epochs": "many", "seed": 1.5})
    message = str(caught.value)
    assert "modles: unknown setting. Did you mean 'models'?" in message
    assert "epochs:" in message
    assert "'many'" in message
    assert "seed:" in message
    with pytest.raises(InputError) as caught:
        read_settings({"models": 1, "level": 2, "quantizers": ["ternery:0.5"], "optimizer": "adma", "trainer": "fast"})
    message = str(caught.value)
    for part in ("models: must be at least 2", "level: must lie", "Did you mean 'ternary'", "'adam'", "trainer: must"):
        assert part in message


def test_overrides_are_checked_too() -> None:
    assert override(Settings(models=8), {"epochs": 3}) == Settings(models=8, epochs=3)
    with pytest.raises(InputError, match="epochs: must be at least 1"):
        override(Settings(), {"epochs": 0})
    with pytest.raises(InputError, match="unknown setting"):
        override(Settings(), {"epoch": 3})


@pytest.mark.parametrize(("models", "block"), [(2, 2), (8, 2), (32, 8), (64, 16), (300, 32)])
def test_blocks_leave_work_for_several_workers(models: int, block: int) -> None:
    assert Settings(models=models).block_size == block
