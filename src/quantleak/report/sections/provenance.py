"""Where the numbers come from: data, settings, versions, timings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, name

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

LABELS = {
    "name": "Name",
    "source": "Source",
    "rows_read": "Rows read",
    "target": "Target column",
    "task_rule": "How the task was decided",
    "classes": "Classes",
    "columns": "Feature columns",
    "smiles": "Column of SMILES",
    "group": "Column of groups",
    "categories": "Columns of categories",
    "ignored": "Columns ignored",
    "rows_refused": "Rows refused",
    "refused_rows": "Refused rows, the first",
    "duplicates_removed": "Duplicates removed",
    "repeated": "Repeated rows, kept in one group",
    "conflicts": "Duplicates and repeated rows with another target",
    "notes": "Notes on how the data were read",
    "sha256": "SHA-256 of the file",
    "digest": "SHA-256 of the examples",
}
SIZES = {
    "pool": "Examples of the pool",
    "pool_groups": "Groups in the pool",
    "validation": "Examples for validation",
    "population": "Examples of the population",
    "test": "Examples for testing",
    "models": "Models",
    "members": "Members of each model, mean",
}
COSTS = {
    "models": "Models trained",
    "processes": "Processes",
    "train": "Training and following trajectories, last session",
    "attack": "Attacks and intervals, last session",
    "train_all_workers": "Training, all processes together",
}
LONG = 32
COUNTS = ("rows_read", "rows_refused", "duplicates_removed", "repeated", "conflicts")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and what is known under it."""

    label: str
    text: str

    @property
    def long(self) -> bool:
        """Whether the text wants a line of its own."""
        return len(self.text) > LONG


def data(result: AuditRecord) -> list[Fact]:
    """The data set: source, rows refused, duplicates, how the task was decided; then anything else that is recorded."""
    found = flatten(result.data)
    order = [key for key in LABELS if key in found] + [key for key in found if key not in LABELS]
    sizes = [Fact(label=SIZES.get(part, part), text=digits.count(size)) for part, size in result.n.items()]
    task = Fact(label="Task", text=result.task)
    facts = [
        Fact(label=LABELS.get(key, key), text=_count(found[key]) if key in COUNTS else digits.plain(found[key]))
        for key in order
    ]
    return [task, *facts, *sizes]


def _count(value: Any) -> str:
    return digits.count(value) if isinstance(value, int | float) else digits.plain(value)


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings as one, an inner key after its outer one unless it has a label of its own.

    Example:
        >>> flatten({"name": "wine", "provenance": {"rows_read": 178}, "other": {"depth": 1}})
        {'name': 'wine', 'rows_read': 178, 'other.depth': 1}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(value, Mapping):
            flat[str(key)] = value
            continue
        flat |= {inner if inner in LABELS else f"{key}.{inner}": item for inner, item in flatten(value).items()}
    return flat


def settings(result: AuditRecord) -> list[Fact]:
    """All settings, and the seeds that followed from them."""
    chosen = flatten(result.settings)
    seeds = {f"seed: {key}": seed for key, seed in result.seeds.items() if chosen.get(key) != seed}
    return [Fact(label=key, text=digits.plain(value)) for key, value in (chosen | seeds).items()]


def versions(result: AuditRecord) -> list[Fact]:
    """The software behind the numbers."""
    return [Fact(label=key, text=digits.plain(value)) for key, value in result.versions.items()]


def timings(result: AuditRecord) -> list[Fact]:
    """What it cost: models, seconds of each stage, processes."""
    counts = {"models": result.n.get("models"), "processes": result.timings.get("processes")}
    facts = [
        Fact(label=COSTS.get(key, key), text=f"{value:,.1f} s")
        for key, value in result.timings.items()
        if key not in counts
    ]
    return [
        *(Fact(label=COSTS[key], text=digits.count(value)) for key, value in counts.items() if value is not None),
        *facts,
    ]


def conventions(result: AuditRecord) -> Table:
    """The conventions of each attack, once."""
    found: dict[str, str] = {}
    for row in result.quantizers:
        for attack in row.attacks:
            text = digits.plain(attack.convention) if attack.convention else found.get(attack.name, "")
            found[attack.name] = text
    columns = (Column(title="Attack", numeric=False), Column(title="Conventions", numeric=False, wraps=True))
    rows = [Row(cells=(name(attack), name(text or "none"))) for attack, text in found.items()]
    return Table(caption="Conventions of the attacks", columns=columns, rows=tuple(rows))
