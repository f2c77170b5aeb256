"""The pages of a finished run written again from its own files."""

from __future__ import annotations

from pathlib import Path

from quantleak.auditing.gating import opened
from quantleak.auditing.scores_result import ScoresResult
from quantleak.errors import InputError
from quantleak.report import write_pages
from quantleak.result import PAGES


def rewrite(folder: str | Path, quantizer: str | None = None) -> list[Path]:
    """Write the pages of an audit, or of `quantleak attack`, anew and seal them; answers what was written.

    Pages may be missing or changed before; every other file is checked against its seal.

    Args:
        folder: Of a finished run.
        quantizer: Which one the privacy card is for; the recommended one, or else the original, if None.

    Raises:
        InputError: A folder without a finished run, a damaged file, an unknown quantizer.
    """
    folder = Path(folder)
    result = opened(folder)
    if isinstance(result, ScoresResult):
        if quantizer is not None:
            raise InputError("The result of `quantleak attack` has no quantizers; leave out --quantizer.")
        result.save(folder)
        return [folder / "report.html"]
    write_pages(result, folder, quantizer)
    result.save(folder)
    return [folder / name for name in PAGES if (folder / name).exists()]
