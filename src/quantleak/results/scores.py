"""The record of attacks on user-supplied scores: the same in Python and in `result.json`."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from quantleak.errors import InputError
from quantleak.results.estimate import Estimate
from quantleak.results.records import AttackResult, Worst
from quantleak.store import Folder, read_json, verify, write, write_json, write_manifest

SCHEMA = 2
KIND = "scores"
TABLES = ("attacks.parquet", "examples.parquet")
PAGE = "report.html"


Result = TypeVar("Result", bound="ScoresRecord")


@dataclass(frozen=True, kw_only=True)
class ScoresRecord:
    """Every attack on user-supplied scores.

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

    def save(self, folder: str | Path, page: str = "") -> None:
        """Write `result.json`, `attacks.parquet`, `examples.parquet`, the page, and last `manifest.json`.

        Args:
            folder: Where to.
            page: The content of `report.html`; without one there is none.

        Raises:
            InputError: If the folder holds something else.
        """
        folder = Path(folder)
        with Folder(folder, self.identity, "attack") as claimed:
            write_json(folder / "result.json", self.to_dict())
            for name, table in zip(TABLES, (self.to_frame(), self.examples), strict=True):
                buffer = io.BytesIO()
                table.to_parquet(buffer, index=False)
                write(folder / name, buffer.getvalue())
            if page:
                write(folder / PAGE, page.encode(errors="replace"))
            write_manifest(folder, ["result.json", *TABLES, *([PAGE] if page else [])], claimed.id)

    @classmethod
    def load(cls: type[Result], folder: str | Path) -> Result:
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


def is_scores(content: Any) -> bool:
    """Whether the content of a `result.json` is of `quantleak attack`."""
    return isinstance(content, dict) and content.get("kind") == KIND


def _metrics(attack: AttackResult) -> dict[str, Estimate]:
    rates = {f"tpr@{fpr}": item for fpr, item in attack.tpr.items()}
    rates |= {f"ppv@{fpr},prior={prior}": item for fpr, priors in attack.ppv.items() for prior, item in priors.items()}
    return {"auc": attack.auc, **rates, "balanced_accuracy": attack.balanced_accuracy, "mis_bound": attack.mis_bound}
