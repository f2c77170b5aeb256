"""Reads the stored jobs of a finished audit: figures of every target, for paired differences."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from quantleak.attacks import Crossed
from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.run import attack_key
from quantleak.errors import InputError
from quantleak.results import AuditRecord
from quantleak.store import read_arrays, read_run


def kept_worst(folder: str | Path, result: AuditRecord) -> dict[str, Crossed]:
    """The worst attack's headline in every target, by quantizer; those only whose job is there and whole.

    All quantizers of one audit share their targets and examples, so that the differences are paired.

    Args:
        folder: Where the audit was made.
        result: Its result; a folder of another run has nothing to say about it.
    """
    folder = Path(folder)
    if (read_run(folder) or {}).get("id") != result.id:
        return {}
    found: dict[str, Crossed] = {}
    for place, spec in enumerate(result.settings.get("quantizers", [])):
        # A missing or damaged job costs the pairing, not the comparison.
        with suppress(InputError):
            found[spec] = AttackOutput.whole(*read_arrays(folder / "jobs" / f"{attack_key(place)}.npz")).leakage
    quantized_first = {row.spec: row.worst.via for row in result.quantizers if row.worst.via is not None}
    return {spec: found[quantized_first.get(spec, spec)] for spec in found if quantized_first.get(spec, spec) in found}
