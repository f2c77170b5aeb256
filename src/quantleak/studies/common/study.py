"""A study of a paper: its settings, its jobs, its figures and its claims, run from end to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from quantleak.engines import Local, Progress, Runner
from quantleak.store import Folder
from quantleak.studies.common.claim import Claim, Found, Judged
from quantleak.studies.common.figure import Figure
from quantleak.studies.common.page import Words, write_page
from quantleak.studies.common.price import Price
from quantleak.studies.common.settings import StudySettings

Settings = TypeVar("Settings", bound=StudySettings)


@dataclass(frozen=True, kw_only=True)
class Study(Generic[Settings, Found]):
    """One paper's study; :func:`quantleak.studies.register` makes `quantleak reproduce` find it.

    Attributes:
        settings: The class of its settings.
        run: Runs its jobs that are not done yet, and returns what was found.
        figures: Of what was found, in the order in which the page shows them.
        claims: With thresholds that were written before the run.
        words: What its page says beside figures and claims.
        price: What some settings would cost with so many processes.
    """

    settings: type[Settings]
    run: Callable[[Settings, Runner], Found]
    figures: Callable[[Found], list[Figure]]
    claims: tuple[Claim[Found], ...]
    words: Callable[[Found, Judged], Words]
    price: Callable[[Settings, int], Price]

    @property
    def name(self) -> str:
        """What `quantleak reproduce` calls it."""
        return self.settings.name

    def find(
        self, settings: Settings, out: str | Path, workers: int | None = None, progress: Progress | None = None
    ) -> Found:
        """Run or continue the jobs in the folder `out`; arguments and errors of `reproduce`."""
        identity = {"study": self.name, "settings": settings.identity}
        with Folder(Path(out), identity, "study") as folder:
            return self.run(settings, Runner(folder, Local(workers), progress))

    def judge(self, found: Found) -> list[dict[str, Any]]:
        """All claims with their verdicts, for `claims.json`."""
        return [claim.judged(found) for claim in self.claims]

    def reproduce(
        self, settings: Settings, out: str | Path, workers: int | None = None, progress: Progress | None = None
    ) -> list[dict[str, Any]]:
        """Run or continue the study, and write its figures, `claims.json`, summary and page into `out`.

        Args:
            settings: What to run.
            out: The folder; an interrupted study there is continued.
            workers: Processes; all processors if None. No number depends on it.
            progress: Called with `(stage, done, total)`.

        Returns:
            The claims with their verdicts, as `claims.json` has them.

        Raises:
            InputError: If the folder holds another study.
        """
        found = self.find(settings, out, workers, progress)
        claims = self.judge(found)
        write_page(settings, self.figures(found), claims, self.words(found, claims), Path(out))
        return claims
