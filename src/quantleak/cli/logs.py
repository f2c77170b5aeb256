"""The library's log on stderr, for users who turn it on."""

from __future__ import annotations

import logging


def show(level: int = logging.INFO) -> None:
    """Write what the logger `quantleak` receives to stderr, from `level` on."""
    from rich.console import Console
    from rich.logging import RichHandler

    log = logging.getLogger("quantleak")
    log.addHandler(RichHandler(console=Console(stderr=True), show_path=False))
    log.setLevel(level)
