"""Opens the result in a folder, whichever command wrote it."""

from __future__ import annotations

from pathlib import Path

from quantleak.results.audit import AuditRecord
from quantleak.results.scores import ScoresRecord, is_scores
from quantleak.store import read_json


def opened(folder: str | Path) -> AuditRecord | ScoresRecord:
    """The result in a folder, of `quantleak audit` or of `quantleak attack`.

    Raises:
        InputError: If there is none, or it is damaged.
    """
    folder = Path(folder)
    path = folder / "result.json"
    return ScoresRecord.load(folder) if path.exists() and is_scores(read_json(path)) else AuditRecord.load(folder)
