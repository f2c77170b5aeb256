"""A claim with its threshold, and the verdict on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")

Judged = Sequence[dict[str, Any]]
"""Claims with their verdicts, as `claims.json` has them."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a claim: our figure with its interval where it has one, and whether the claim holds.

    `ours` and `holds` are None where the study was too small, or left out the part, to judge it. `decided` says whether
    the interval lies on one side of the threshold; None where no interval is compared with it.
    """

    ours: float | None
    holds: bool | None
    low: float | None = None
    high: float | None = None
    decided: bool | None = None


NOT_JUDGED = Verdict(ours=None, holds=None)


@dataclass(frozen=True, kw_only=True)
class Claim(Generic[Found]):
    """One claim of a study, its threshold written before the run.

    Attributes:
        id: Short name.
        source: Where it is made: a part of the paper, or `ours`.
        claim: In words.
        threshold: When it holds, in words.
        paper: The paper's figure, where it gives one.
        judge: From what the study found to the verdict.
    """

    id: str
    source: str
    claim: str
    threshold: str
    judge: Callable[[Found], Verdict]
    paper: float | None = None

    def judged(self, found: Found) -> dict[str, Any]:
        """The claim and its verdict, ready for JSON, which has no NaN."""
        words = {name: getattr(self, name) for name in ("id", "source", "claim", "threshold", "paper")}
        whole = words | asdict(self.judge(found))
        return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in whole.items()}
