"""How a check fails: with a sentence, also under `python -O`, which drops assert statements."""

from __future__ import annotations

from collections.abc import Callable

from quantleak.errors import InputError


def expect(holds: bool, otherwise: str) -> None:
    """Raise AssertionError with the words `otherwise` unless `holds`."""
    if not holds:
        raise AssertionError(otherwise)


def expect_refusal(call: Callable[[], object], otherwise: str) -> None:
    """Raise AssertionError with the words `otherwise` unless the call raises InputError."""
    try:
        call()
    except InputError:
        return
    raise AssertionError(otherwise)
