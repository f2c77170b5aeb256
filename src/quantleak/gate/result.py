"""What a gate says: one check for each limit on each quantizer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from quantleak.report import digits
from quantleak.report.grid import estimate
from quantleak.report.text import aligned
from quantleak.results import Estimate

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Check:
    """One limit on one quantizer.

    Attributes:
        quantizer: Its spec.
        measure: `TPR at 1% FPR`, `AUC`, or what is found in the worst class.
        limit: The largest figure allowed.
        attack: The attack with the largest judged figure, and its mode; empty if there is none.
        figure: That attack's figure.
        judged: The number that is held against the limit; None if there is none.
        reason: Why there is none; then the check fails.
    """

    quantizer: str
    measure: str
    limit: float
    attack: str
    figure: Estimate
    judged: float | None
    reason: str | None

    @property
    def passed(self) -> bool:
        """Whether the judged number is within the limit."""
        return self.judged is not None and self.judged <= self.limit

    @property
    def form(self) -> digits.Format:
        """How its numbers are written."""
        return digits.score if self.measure == "AUC" else digits.percent

    def verdict(self) -> str:
        """In words: within the limit, or by how much it is not met, or why nothing can be said."""
        if self.judged is None:
            return f"cannot be judged: {self.reason}"
        if self.passed:
            return "within the limit"
        over = self.judged - self.limit
        return f"over by {over:.3f}" if self.measure == "AUC" else f"over by {100 * over:.2f} points"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "passed": self.passed, "verdict": self.verdict()}


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What a gate says.

    Attributes:
        audit: Id of what was judged.
        source: Name of the data.
        on: `high`: upper limits of the intervals were judged; `value`: the values.
        level: Confidence level of the intervals.
        checks: One for each limit and quantizer.
        not_run: Attacks that could not run, and so were not judged, with the reason.
    """

    audit: str
    source: str
    on: str
    level: float
    checks: list[Check]
    not_run: list[str]

    @property
    def passed(self) -> bool:
        """Whether every check passed; without a check nothing did."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        own = {"schema": SCHEMA, "passed": self.passed, "audit": self.audit, "source": self.source}
        checks = [check.to_dict() for check in self.checks]
        return {**own, "on": self.on, "level": self.level, "checks": checks, "not_run": self.not_run}

    def to_frame(self) -> pd.DataFrame:
        """One row per check."""
        return pd.json_normalize([check.to_dict() for check in self.checks])

    def headline(self) -> str:
        """Met or not, and how many checks failed."""
        failed = sum(not check.passed for check in self.checks)
        return (
            f"Gate not met: {failed} of {len(self.checks)} checks failed."
            if failed
            else f"Gate met: all {len(self.checks)} checks passed."
        )

    def notes(self) -> list[str]:
        """What was held against the limits, and what could not be."""
        what = f"The upper limit of the {digits.rate(self.level)} interval" if self.on == "high" else "The value"
        return [f"{what} of every attack is judged; shown is the attack with the largest.", *self.not_run]

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Titles and cells, what failed first."""
        titles = ["", "quantizer", "figure", "allowed", "found", "attack", "verdict"]
        ordered = sorted(self.checks, key=lambda check: check.passed)
        return titles, [_cells(check) for check in ordered]

    def __str__(self) -> str:
        """The headline and one line per check."""
        return "\n\n".join([self.headline(), aligned(*self.rows()), "\n".join(self.notes())])


def _cells(check: Check) -> list[str]:
    found = str(estimate(check.figure, check.form))
    mark = "pass" if check.passed else "FAIL"
    allowed = check.form(check.limit)
    return [mark, check.quantizer, check.measure, allowed, found, check.attack or "-", check.verdict()]
