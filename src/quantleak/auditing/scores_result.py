"""What :func:`quantleak.auditing.score_attacks.attack_scores` answers: one record, in Python, on disk and as a page."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from quantleak.auditing.lines import aligned
from quantleak.errors import InputError
from quantleak.report import digits
from quantleak.result import AttackResult, Number, Worst
from quantleak.store import Folder, read_json, seal, verify, write, write_json

SCHEMA = 2
KIND = "scores"
TABLES = ("attacks.parquet", "examples.parquet")
PAGE = "report.html"


@dataclass(frozen=True, kw_only=True)
class ScoresResult:
    """Every attack on an auditor's own scores.

    Attributes:
        id: Hash of arrays and settings.
        identity: What the hash is of.
        source: Name of the arrays.
        n: Targets, shadows, rows, examples, members a target, population.
        attacks: Each with its conventions; one that could not run says why.
        worst: The strongest, chosen on other data than it is shown on.
        remarks: What to know when reading the numbers.
        settings: Of the intervals.
        versions: What made the numbers.
        examples: One row for each target and example: its score under the strongest attack.
    """

    id: str
    identity: dict[str, Any]
    source: str
    n: dict[str, int]
    attacks: list[AttackResult]
    worst: Worst
    remarks: list[str]
    settings: dict[str, Any]
    versions: dict[str, str]
    examples: pd.DataFrame = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """What `result.json` holds: plain values, None for what has no number."""
        plain = {name: value for name, value in vars(self).items() if name not in ("examples", "attacks", "worst")}
        attacks = [asdict(attack) for attack in self.attacks]
        return {"schema": SCHEMA, "kind": KIND, **plain, "attacks": attacks, "worst": asdict(self.worst)}

    def to_frame(self) -> pd.DataFrame:
        """Tidy long form: one row for each attack and metric, with value, low, high."""
        rows = [
            {"attack": attack.name, "metric": metric, "value": item.value, "low": item.low, "high": item.high,
             "reason": item.reason}
            for attack in self.attacks
            for metric, item in _metrics(attack).items()
        ]  # fmt: skip
        return pd.DataFrame(rows).astype({"value": float, "low": float, "high": float})

    def save(self, folder: str | Path) -> None:
        """Write `result.json`, `attacks.parquet`, `examples.parquet`, `report.html` and last `manifest.json`.

        Raises:
            InputError: If the folder holds something else.
        """
        from quantleak.report.scores_page import page

        folder = Path(folder)
        with Folder(folder, self.identity, "attack") as claimed:
            write_json(folder / "result.json", self.to_dict())
            for name, table in zip(TABLES, (self.to_frame(), self.examples), strict=True):
                buffer = io.BytesIO()
                table.to_parquet(buffer, index=False)
                write(folder / name, buffer.getvalue())
            write(folder / PAGE, page(self).encode(errors="replace"))
            seal(folder, ["result.json", *TABLES, PAGE], claimed.id)

    @classmethod
    def load(cls, folder: str | Path) -> ScoresResult:
        """Read what :meth:`save` wrote, checking every file that is read.

        Raises:
            InputError: A folder without such a result, or a damaged file.
        """
        folder = Path(folder)
        verify(folder, skip=(PAGE,))
        content = read_json(folder / "result.json")
        if not is_scores(content) or content.pop("schema") != SCHEMA:
            raise InputError(f"{folder} does not hold the result of `quantleak attack`.")
        content.pop("kind")
        try:
            attacks = TypeAdapter(list[AttackResult]).validate_python(content.pop("attacks"))
            worst = TypeAdapter(Worst).validate_python(content.pop("worst"))
            examples = pd.read_parquet(folder / TABLES[1])
            return cls(**content, attacks=attacks, worst=worst, examples=examples)
        except (ValidationError, TypeError, KeyError) as error:
            raise InputError(f"{folder / 'result.json'} does not hold the result of `quantleak attack`.") from error

    def headline(self) -> str:
        """The strongest attack in a sentence or two."""
        worst = self.worst
        if worst.value is None:
            return f"The strongest attack, {worst.name}, has no figure: {worst.reason}."
        chance, form = (0.5, digits.score) if worst.fpr is None else (worst.fpr, digits.percent)
        shown = f"{digits.text(worst.value, form)} {digits.limits(worst, form)}".strip()
        found = f"has AUC {shown}; 0.5 is guessing."
        if worst.fpr is not None:
            found = f"finds {shown} of the members at {digits.rate(worst.fpr)} false alarms."
        guessing = worst.low is not None and worst.low <= chance
        return f"The strongest attack, {worst.name}, {found}{' It cannot be told from guessing.' if guessing else ''}"

    def __str__(self) -> str:
        """The headline and one line an attack."""
        rates = list(next((attack.tpr for attack in self.attacks if attack.tpr), {}))
        titles = ["attack", "AUC", *(f"TPR at {digits.rate(float(rate))} FPR" for rate in rates), "MIS bound"]
        lines = [
            [attack.name, written(attack.auc, digits.score),
             *(written(attack.tpr[rate], digits.percent) for rate in rates), written(attack.mis_bound, digits.score)]
            for attack in self.attacks if attack.reason is None
        ]  # fmt: skip
        blocks = [self.headline(), aligned(titles, lines), "\n".join(self.notes())]
        return "\n\n".join(block for block in blocks if block)

    def notes(self) -> list[str]:
        """What could not run and why, which rates are not supported, and the remarks."""
        reasons: dict[str, list[str]] = {}
        for attack in self.attacks:
            if attack.reason is not None:
                reasons.setdefault(attack.reason.split(f"{attack.name} ", 1)[-1], []).append(attack.name)
        told = [f"Not run: {', '.join(names)}: {reason.rstrip('.')}." for reason, names in reasons.items()]
        missing = {item.reason for attack in self.attacks for item in attack.tpr.values() if item.value is None}
        told += [f"{reason}." for reason in sorted(str(reason) for reason in missing)]
        hidden = "rows" if self.n["rows"] == self.n["examples"] else ""
        sizes = ", ".join(f"{name} {count:,}" for name, count in self.n.items() if count and name != hidden)
        return [*told, *self.remarks, f"{sizes}; {digits.rate(self.settings['level'])} intervals."]


def is_scores(content: Any) -> bool:
    """Whether the content of a `result.json` is of `quantleak attack`."""
    return isinstance(content, dict) and content.get("kind") == KIND


def written(number: Number, form: digits.Format) -> str:
    """A number with its interval as text."""
    return f"{digits.text(number.value, form)} {digits.limits(number, form)}".rstrip()


def _metrics(attack: AttackResult) -> dict[str, Number]:
    rates = {f"tpr@{fpr}": item for fpr, item in attack.tpr.items()}
    rates |= {f"ppv@{fpr},prior={prior}": item for fpr, priors in attack.ppv.items() for prior, item in priors.items()}
    return {"auc": attack.auc, **rates, "balanced_accuracy": attack.balanced_accuracy, "mis_bound": attack.mis_bound}
