"""The errors that a user can cause: each says what was wrong, what was seen and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something given to quantleak cannot be used.

    The message is complete advice. The command prints it alone and exits with code 2.
    """


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint `" Did you mean 'x'?"` for the choice closest to `word`, or an empty string.

    Example:
        >>> nearest("ternery", ["sign", "ternary"])
        " Did you mean 'ternary'?"
    """
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""
