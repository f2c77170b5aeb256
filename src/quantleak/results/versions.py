"""Names the versions of everything that made the numbers."""

from __future__ import annotations

import platform

import numpy as np
import torch

from quantleak.store import RESULTS_VERSION
from quantleak.version import VERSION


def versions() -> dict[str, str]:
    """What made the numbers."""
    return {
        "quantleak": VERSION,
        "results": str(RESULTS_VERSION),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }
