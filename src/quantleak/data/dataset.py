"""The record that everything downstream reads: features, targets, task, groups and where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.data.checks import FIRST_ROWS
from quantleak.data.features import Features, Ints, standardise
from quantleak.data.groups import codes_of, merge_groups
from quantleak.data.targets import Targets, Task
from quantleak.errors import InputError


def standardise_targets(
    values: npt.NDArray[np.float64], fit: Ints, *, name: str, rows: Ints
) -> npt.NDArray[np.float64]:
    """`(y - m) / s` of a regression target `[N]`, m and s over the examples `fit`; every value fits float32.

    Args:
        values: float64 `[N]`.
        fit: Positions of the examples that m and s come from.
        name: The target's name, for messages.
        rows: `[N]`, the number of each example's data row in the source, for messages.

    Raises:
        InputError: If the target is constant on `fit`, or too far from it elsewhere.

    Example:
        >>> standardise_targets(np.array([0.0, 2.0, 5.0]), np.array([0, 1]), name="y", rows=np.arange(1, 4))
        array([-1.,  1.,  4.])
    """
    scaled: npt.NDArray[np.float64] = standardise(values[:, None], fit)[:, 0]
    chosen = values[fit]
    if chosen.min() == chosen.max():
        raise InputError(
            f"The regression target {name!r} is {chosen[0].item()!r} in all {len(fit)} examples of the population, "
            "over which it is standardised: there is nothing to learn. Give more data, a target that varies more, "
            "or another seed for the split."
        )
    too_far = ~(np.abs(scaled) <= np.finfo(np.float32).max)
    if too_far.any():
        shown = ", ".join(map(str, rows[too_far][:FIRST_ROWS].tolist())) + (
            ", ..." if too_far.sum() > FIRST_ROWS else ""
        )
        raise InputError(
            f"The regression target {name!r} is too far from its values in the population to be standardised in "
            f"float32 in {too_far.sum()} of {len(values)} rows (data rows {shown}). Correct or remove these rows, or "
            "transform the target (a logarithm?)."
        )
    return scaled


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a data set came from and what was done to it. Row numbers count data rows of the source from 1.

    Args:
        source: A file's name without its folder, or what stands in for it.
        rows_read: Rows of the source.
        target: Name of the target column.
        columns: Names of the columns that became features.
        every_column: Whether these are all columns that can be features, not a choice among them.
        task_rule: How the task was decided, as a sentence.
        smiles: Name of the column of SMILES, None if the examples are no molecules.
        group: Name of the column of groups, None if there was none.
        sha256: Checksum of the file, None if there was none; `Dataset.digest` is always there.
        categories: Those columns that hold text and became 0/1 columns.
        ignored: Columns left out because they are the index of a pandas frame or have no name.
        rows_refused: How many rows could not be used.
        refused_rows: Numbers of the first 20 of them.
        duplicates_removed: Rows dropped because an earlier row is the same molecule.
        repeated: Rows that are kept and whose features equal those of an earlier row; they share its group.
        conflicts: How many of the removed and the repeated rows have another target than the first row like them.
        notes: What was not plain to see when the data were read, a clause each.
        images: Whether the examples are images.
        image_size: Height and width that they were brought to, None if they were taken as they are.
        files: Which rows come from which of several files, None if there is one.
    """

    source: str
    rows_read: int
    target: str
    columns: tuple[str, ...]
    task_rule: str
    every_column: bool = False
    smiles: str | None = None
    group: str | None = None
    sha256: str | None = None
    categories: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    rows_refused: int = 0
    refused_rows: tuple[int, ...] = ()
    duplicates_removed: int = 0
    repeated: int = 0
    conflicts: int = 0
    notes: tuple[str, ...] = ()
    images: bool = False
    image_size: int | None = None
    files: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """N examples of one task.

    Args:
        name: A short name.
        task: `"binary"`, `"multiclass"` or `"regression"`.
        targets: `[N]`, int64 class codes 0 to C-1, or float64 for regression.
        classes: Names of the C classes in the order of their codes; None for regression.
        groups: int64 `[N]`; examples of one group stay in one part of a split and share one membership. Examples with
            equal features always share a group.
        features: Raw features; see `encode`.
        rows: int64 `[N]`, the number of each example's data row in the source, from 1.
        provenance: Where it all came from.
        held_out: bool `[N]`, the examples that may be in no model's pool (a file of test data), where the data bring
            their own split; None leaves it to `split`.
    """

    name: str
    task: Task
    targets: npt.NDArray[Any]
    classes: tuple[str, ...] | None
    groups: Ints
    features: Features
    rows: Ints
    provenance: Provenance
    held_out: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.targets)

    def encode(self, fit: Ints) -> npt.NDArray[np.float32]:
        """Features of all examples, float32 `[N, ...]`.

        Args:
            fit: Rows on which scaling and category lists are fitted (the population part of a split). Fingerprints
                and images need none and ignore it.
        """
        return self.features.encode(fit)

    def encode_targets(self, fit: Ints) -> npt.NDArray[Any]:
        """Targets as the models learn them, `[N]`: class codes, or float64 standardised over rows `fit`.

        Raises:
            InputError: If a regression target is constant on rows `fit`, or so far from them elsewhere that it
                overflows float32.
        """
        if self.task != "regression":
            return self.targets
        return standardise_targets(self.targets, fit, name=self.provenance.target, rows=self.rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that determines a result: two data sets with equal digests give equal audits."""
        total = hashlib.sha256(repr((self.task, self.classes, self.features.describe())).encode())
        for part in (self.targets.tobytes(), self.groups.tobytes(), self.rows.tobytes(), *self.features.row_keys()):
            total.update(part)
        if self.held_out is not None:
            total.update(b"held out" + self.held_out.tobytes())
        return total.hexdigest()

    def __repr__(self) -> str:
        """One line: name, task, size."""
        kind = self.task if self.classes is None else f"{self.task}, {len(self.classes)} classes"
        return f"Dataset({self.name!r}, {kind}, {len(self)} examples in {len(np.unique(self.groups))} groups)"


def assemble(
    name: str,
    features: Features,
    targets: Targets,
    provenance: Provenance,
    *,
    group: npt.NDArray[Any] | None = None,
    rows: Ints | None = None,
    held_out: npt.NDArray[np.bool_] | None = None,
) -> Dataset:
    """A `Dataset` whose groups join equal feature rows and the user's groups; provenance counts the equal rows."""
    kinds = codes_of(features.row_keys())
    _, first = np.unique(kinds, return_index=True)
    conflicts = int((targets.values != targets.values[first[kinds]]).sum())
    provenance = replace(provenance, repeated=len(kinds) - len(first), conflicts=provenance.conflicts + conflicts)
    return Dataset(
        name=name,
        task=targets.task,
        targets=targets.values,
        classes=targets.classes,
        groups=merge_groups(kinds) if group is None else merge_groups(kinds, group),
        features=features,
        rows=np.arange(1, len(features) + 1) if rows is None else rows,
        provenance=provenance,
        held_out=held_out,
    )
