"""Dated files of results: what, where, with what, by which command."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


def write_results(theme: str, command: str, lines: list[str]) -> Path:
    """Print the lines and write them to `results/<theme>_<date>.md` under a header."""
    today = datetime.date.today().isoformat()
    header = [
        f"# {theme}, {today}",
        "",
        f"`{command}`",
        "",
        f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, torch {torch.__version__}.",
        "",
    ]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{theme}_{today}.md"
    path.write_text("\n".join(header + lines) + "\n")
    print("\n".join(header + lines), f"\nwritten to {path}", sep="\n")
    return path


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    flags = "with AMX" if info.exists() and "amx_bf16" in info.read_text() else "without AMX"
    return f"{names[0] if names else platform.processor()} {flags}"
