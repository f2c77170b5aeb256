"""The library says nothing unless it is asked to."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> tuple[str, str]:
    """What a fresh interpreter writes to stdout and stderr."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_a_warning_of_the_library_is_not_printed_by_itself() -> None:
    assert said("import quantleak, logging; logging.getLogger('quantleak').warning('low')") == ("", "")


def test_a_user_who_asks_hears_it() -> None:
    out, err = said(
        "import logging; logging.basicConfig(level=logging.INFO)\n"
        "import quantleak; logging.getLogger('quantleak').info('found')"
    )
    assert (out, err) == ("", "INFO:quantleak:found\n")
