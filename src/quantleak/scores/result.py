"""The result of attacks on user-supplied scores as its reader meets it: printed, and as files."""

from __future__ import annotations

from pathlib import Path

from quantleak.report.pages import scores
from quantleak.results import ScoresRecord


class ScoresResult(ScoresRecord):
    """What :func:`~quantleak.scores.attack.attack_scores` returns; every number of a `ScoresRecord`, and its words."""

    def __str__(self) -> str:
        """The headline and one line per attack."""
        return scores.text(self)

    def headline(self) -> str:
        """The strongest attack in a sentence or two."""
        return scores.headline(self)

    def notes(self) -> list[str]:
        """What could not run and why, which rates are not supported, and the remarks."""
        return scores.notes(self)

    def save(self, folder: str | Path, page: str = "") -> None:
        """Write `result.json`, `attacks.parquet`, `examples.parquet`, `report.html` and last `manifest.json`.

        Raises:
            InputError: If the folder holds something else.
        """
        super().save(folder, page or scores.page(self))
