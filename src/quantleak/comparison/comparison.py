"""What a comparison of two audits says: one row for each figure of each quantizer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from quantleak.comparison.differences import Difference, Unit
from quantleak.report import digits
from quantleak.report.grid import estimate
from quantleak.report.text import aligned

SCHEMA = 1
HIGHER, LOWER, NONE, UNKNOWN = "higher", "lower", "no difference found", "-"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One row: a figure of a quantizer in both audits, and what can be said of the difference.

    Attributes:
        quantizer: Of the first audit.
        against: Of the second.
        figures: The figure on both sides and the difference, second minus first.
        p: Two-sided p-value of no difference; None without an interval.
        verdict: `higher` or `lower` (the second, beyond chance for all rows together), `no difference found`, or `-`.
    """

    quantizer: str
    against: str
    figures: Difference
    p: float | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        named = {"quantizer": self.quantizer, "against": self.against}
        return {**named, **asdict(self.figures), "p": self.p, "verdict": self.verdict}


@dataclass(frozen=True, kw_only=True)
class AuditComparison:
    """What :func:`compare_audits` returns.

    Attributes:
        rows: One for each figure of each quantizer.
        warnings: In what the two audits differ beside their numbers.
        level: Confidence level of each interval by itself; with probability `level` no verdict is wrong at all.
    """

    rows: list[Compared]
    warnings: list[str]
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rows = [row.to_dict() for row in self.rows]
        return {"schema": SCHEMA, "level": self.level, "correction": "holm", "warnings": self.warnings, "rows": rows}

    def to_frame(self) -> pd.DataFrame:
        """One row for each figure of each quantizer."""
        columns = [
            {
                "quantizer": row.quantizer, "against": row.against, "measure": row.figures.measure,
                "first": row.figures.first.value, "second": row.figures.second.value,
                "difference": row.figures.difference.value, "low": row.figures.difference.low,
                "high": row.figures.difference.high, "method": row.figures.method, "p": row.p, "verdict": row.verdict,
            }
            for row in self.rows
        ]  # fmt: skip
        return pd.DataFrame(columns)

    def __str__(self) -> str:
        """The verdicts, one line each, and how they were reached."""
        found = sum(row.verdict in (HIGHER, LOWER) for row in self.rows)
        judged = sum(row.p is not None for row in self.rows)
        opening = f"{found} of {judged} figures differ beyond chance." if found else "No difference found."
        table = aligned(["quantizer", "figure", "A", "B", "B - A", "B is"], [_cells(row) for row in self.rows])
        return "\n\n".join([opening, *self.warnings, table, self._method(judged)])

    def _method(self, judged: int) -> str:
        used = {row.figures.method for row in self.rows if row.p is not None}
        methods = [text for method, text in _METHODS.items() if method in used]
        return "\n".join(
            [
                f"{digits.rate(self.level)} intervals, each by itself. {' '.join(methods)}",
                f"What is said of B holds for all {judged} figures together (Holm, family-wise error "
                f"{1 - self.level:.2g}, normal approximation).",
            ]
        )


_METHODS = {
    "paired": "Of one audit: paired, by target or by model.",
    "through the original": "Utility: square-and-add of the paired differences from the original.",
    "independent": "Others: square-and-add (MOVER), as of independent figures.",
}
_FORMATS: dict[Unit, tuple[digits.Format, digits.Format]] = {
    "score": (digits.score, digits.signed),
    "share": (digits.percent, digits.points),
    "rate": (digits.significant, digits.significant),
}


def _cells(row: Compared) -> list[str]:
    figures = row.figures
    form, signed = _FORMATS[figures.unit]
    missing = figures.difference.value is None
    return [
        row.quantizer if row.quantizer == row.against else f"{row.quantizer} | {row.against}",
        figures.measure,
        str(estimate(figures.first, form)),
        str(estimate(figures.second, form)),
        str(figures.difference.reason) if missing else str(estimate(figures.difference, signed)),
        row.verdict,
    ]
