"""Where the numbers come from: the data, and the command, settings, versions and cost of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quantleak.report import digits
from quantleak.report.section import Command, Facts, Section

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

LABELS = {
    "name": "Name",
    "source": "Source",
    "rows_read": "Rows read",
    "target": "Target column",
    "task_rule": "How the task was decided",
    "classes": "Classes",
    "files": "Files",
    "images": "Examples are images",
    "image_size": "Height and width they were brought to",
    "columns": "Feature columns",
    "every_column": "All columns are features, but for the target and groups",
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
    "calibration": "Examples for calibration only",
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
COUNTS = ("rows_read", "rows_refused", "duplicates_removed", "repeated", "conflicts")


def data_section(result: AuditRecord) -> Section:
    """The section on the data set."""
    return Section(title="Data", body=(Facts(items=data(result)),))


def run_section(result: AuditRecord, command: str) -> Section:
    """The section on the run; `command` makes the result again."""
    return Section(
        title="How it was made: settings, versions, cost",
        body=(
            Command(title="Command", text=command),
            Facts(title="Settings", items=settings(result)),
            Facts(title="Versions", items={key: digits.plain(value) for key, value in result.versions.items()}),
            Facts(title="Cost", items=timings(result)),
        ),
    )


def data(result: AuditRecord) -> dict[str, str]:
    """The data set: source, rows refused, duplicates, how the task was decided; then anything else that is recorded."""
    # What quantizers read of the data has a section of its own.
    found = flatten({key: value for key, value in result.data.items() if key != "calibration"})
    order = [key for key in LABELS if key in found] + [key for key in found if key not in LABELS]
    facts = {LABELS.get(key, key): _count(found[key]) if key in COUNTS else digits.plain(found[key]) for key in order}
    sizes = {SIZES.get(part, part): digits.count(size) for part, size in result.n.items()}
    return {"Task": result.task} | facts | sizes


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


def settings(result: AuditRecord) -> dict[str, str]:
    """All settings, and the seeds that followed from them."""
    chosen = flatten(result.settings)
    seeds = {f"seed: {key}": seed for key, seed in result.seeds.items() if chosen.get(key) != seed}
    return {key: digits.plain(value) for key, value in (chosen | seeds).items()}


def timings(result: AuditRecord) -> dict[str, str]:
    """What it cost: models, processes, seconds of each stage."""
    counts = {"models": result.n.get("models"), "processes": result.timings.get("processes")}
    seconds = {key: value for key, value in result.timings.items() if key not in counts}
    shown = {COSTS[key]: digits.count(value) for key, value in counts.items() if value is not None}
    return shown | {COSTS.get(key, key): f"{value:,.1f} s" for key, value in seconds.items()}
