"""What a finished audit's folder still holds of its jobs: figures in every resample, for paired differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from quantleak.errors import InputError
from quantleak.result import AuditResult
from quantleak.store import begun, read_arrays


def kept_worst(folder: str | Path, result: AuditResult) -> dict[str, np.ndarray]:
    """The worst attack's headline in every resample, `[B]`, by quantizer; those only whose job is there and whole.

    All quantizers of one audit drew the same models and examples, so that the differences are paired.

    Args:
        folder: Where the audit was made.
        result: Its result; a folder of another run has nothing to say about it.
    """
    folder = Path(folder)
    if (begun(folder) or {}).get("id") != result.id:
        return {}
    found: dict[str, np.ndarray] = {}
    for place, spec in enumerate(result.settings.get("quantizers", [])):
        path = folder / "jobs" / f"attack-{place:03}.npz"
        try:
            arrays = read_arrays(path)[0] if path.exists() else {}
        except InputError:
            # A damaged job costs the pairing, not the comparison.
            continue
        if "worst" in arrays:
            found[spec] = arrays["worst"]
    return found
