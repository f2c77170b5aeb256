"""Molecules as Morgan fingerprints, by RDKit, from a table with a column of SMILES."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.data.checks import list_rows
from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Ints, Ready
from quantleak.data.groups import codes_of
from quantleak.data.source import open_source
from quantleak.data.tabular.columns import kind_of, require_column, values_of
from quantleak.data.tabular.reading import read_arrow
from quantleak.data.tabular.roles import Roles
from quantleak.data.targets import Targets
from quantleak.errors import InputError

RADIUS = 2
BITS = 2048
MOST_REFUSED = 0.05
MOST_ATOMS = 1000
"""RDKit recurses over a molecule: with 2,500 atoms it overruns a stack of 1 MB, with 20,000 one of 8 MB."""
LONGEST_TEXT = 10_000
"""No text is parsed that is longer than 1,000 atoms need with all that can be said of each."""
LISTED_ROWS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Molecules:
    """The molecules of N SMILES.

    Args:
        canonical: Canonical SMILES, None where RDKit refuses the text, or it holds no atom or too many.
        fingerprints: uint8 `[N, 2048]`, 0 or 1; zeros where refused.
        too_large: Bool `[N]`, where there are more than `MOST_ATOMS` atoms.
    """

    canonical: list[str | None]
    fingerprints: npt.NDArray[np.uint8]
    too_large: npt.NDArray[np.bool_]


def read_molecules(
    path: str | Path, smiles: str, target: str, *, task: str | None = None, group: str | None = None
) -> Dataset:
    """A data set of molecules from a CSV or Parquet file.

    Features are Morgan fingerprints of radius 2 folded to 2048 bits. Rows that RDKit refuses, and molecules of
    more than 1,000 atoms, are left out and listed; of rows with one canonical SMILES the first is kept. Molecules of
    equal fingerprint (stereoisomers, for one) share a group. Other columns are not used.

    Args:
        path: The file.
        smiles: Name of the column of SMILES.
        target: Name of the target column.
        task: `"binary"`, `"multiclass"`, `"regression"`, or None for the rule of `read_targets`.
        group: Name of a column whose equal values mark rows that must stay together, or None.

    Raises:
        InputError: If RDKit is not installed, the table or a name is wrong, or more than 5% of the SMILES are refused.
    """
    source = open_source(path)
    if source.kind == "npz":
        raise InputError(f"SMILES come in a CSV or Parquet file, {source.name!r} holds arrays.")
    table = read_arrow(source)
    roles = Roles(target=target, task=task, group=group)
    roles.require(table, source.name)
    require_column(table, smiles, "SMILES", source.name)
    if kind_of(table.column(smiles)) != "text":
        raise InputError(f"Column {smiles!r} of {source.name!r} holds {table.column(smiles).type}, not SMILES.")
    targets, labels = roles.targets(table), roles.groups(table)
    molecules = parse(values_of(table, smiles).tolist())
    refused = np.array([text is None for text in molecules.canonical], bool)
    _check_refused(refused, smiles, source.name)
    kept, conflicts = _first_of_each(molecules.canonical, targets)
    provenance = Provenance(
        source=source.name,
        sha256=source.sha256,
        rows_read=table.num_rows,
        target=target,
        columns=(smiles,),
        smiles=smiles,
        group=group,
        task_rule=targets.rule,
        rows_refused=int(refused.sum()),
        refused_rows=tuple((np.flatnonzero(refused)[:LISTED_ROWS] + 1).tolist()),
        duplicates_removed=int((~refused).sum()) - len(kept),
        conflicts=conflicts,
        notes=_notes(molecules.too_large),
    )
    return assemble(
        source.name,
        Ready(values=molecules.fingerprints[kept]),
        targets.take(kept),
        provenance,
        group=None if labels is None else labels[kept],
        rows=kept + 1,
    )


def parse(smiles: list[Any]) -> Molecules:
    """Canonical SMILES and Morgan fingerprints; RDKit's own messages are silenced.

    Raises:
        InputError: If RDKit is not installed.

    Example:
        >>> parse(["OCC", "C1C"]).canonical
        ['CCO', None]
    """
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem import rdFingerprintGenerator
    except ImportError as error:
        raise InputError("Reading SMILES needs RDKit. Type: pip install 'quantleak[chem]'") from error
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    fingerprints = np.zeros((len(smiles), BITS), np.uint8)
    canonical: list[str | None] = [None] * len(smiles)
    too_large = np.array([text is not None and len(text) > LONGEST_TEXT for text in smiles], bool)
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            molecule = Chem.MolFromSmiles(text) if text and not too_large[row] else None
            if molecule is None or not molecule.GetNumAtoms():
                continue
            too_large[row] = molecule.GetNumAtoms() > MOST_ATOMS
            if not too_large[row]:
                canonical[row] = Chem.MolToSmiles(molecule)
                fingerprints[row] = generator.GetFingerprintAsNumPy(molecule)
    return Molecules(canonical=canonical, fingerprints=fingerprints, too_large=too_large)


def _check_refused(refused: npt.NDArray[np.bool_], column: str, source: str) -> None:
    if refused.mean() > MOST_REFUSED:
        raise InputError(
            f"Column {column!r} of {source!r} is not readable as SMILES, or has more than {MOST_ATOMS:,} atoms, in "
            f"{list_rows(refused)}, more than {MOST_REFUSED:.0%} of them. Is it the right column? Correct or remove "
            "these rows."
        )


def _notes(too_large: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """Why rows were refused, where it is not that the text is no SMILES."""
    if not too_large.any():
        return ()
    return (f"refused because of more than {MOST_ATOMS:,} atoms: {list_rows(too_large)}",)


def _first_of_each(canonical: list[str | None], targets: Targets) -> tuple[Ints, int]:
    """Rows to keep, and how many of the dropped duplicates have another target than the row kept for them."""
    read = np.flatnonzero([text is not None for text in canonical])
    codes = codes_of([canonical[row] for row in read])
    _, first = np.unique(codes, return_index=True)
    conflicts = targets.values[read] != targets.values[read[first[codes]]]
    kept: Ints = read[first]
    return kept, int(conflicts.sum())
