import sys

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem, DataStructs

from quantleak.data import read_molecules
from quantleak.data.sources.molecules import parse
from quantleak.errors import InputError

SMILES = ["CCO", "c1ccccc1", "OCC", "CC(=O)O", "C1=CC=CC=C1", "CCN", "CCCC", "CCS", "CCCl", "CCBr"]


def write(path, smiles, targets, **columns):
    pd.DataFrame({"Drug_ID": "", "Drug": smiles, "Y": targets, **columns}).to_csv(path, index=False)
    return path


def test_duplicates_by_canonical_smiles_are_removed_the_first_is_kept(tmp_path):
    path = write(tmp_path / "m.csv", SMILES, [1, 0, 0, 1, 0, 1, 0, 1, 0, 1])
    dataset = read_molecules(path, "Drug", "Y")
    assert dataset.rows.tolist() == [1, 2, 4, 6, 7, 8, 9, 10]
    assert dataset.targets.tolist() == [1, 0, 1, 1, 0, 1, 0, 1]
    assert dataset.provenance.rows_read == 10
    assert dataset.provenance.duplicates_removed == 2
    # Row 3 is the ethanol of row 1 with another label; row 5 agrees with row 2.
    assert dataset.provenance.conflicts == 1


def test_fingerprints_are_morgan_of_radius_2_and_2048_bits(tmp_path):
    dataset = read_molecules(write(tmp_path / "m.csv", SMILES, range(10)), "Drug", "Y")
    expected = np.zeros((8, 2048))
    for row, number in zip(expected, dataset.rows, strict=True):
        molecule = Chem.MolFromSmiles(SMILES[number - 1])
        row[list(AllChem.GetHashedMorganFingerprint(molecule, 2, 2048).GetNonzeroElements())] = 1
    np.testing.assert_array_equal(dataset.encode(np.arange(1)), expected)
    assert dataset.encode(np.arange(1)).dtype == np.float32


def test_regression_and_groups(tmp_path):
    users = ["u", "u", "u", "v", "v", "w", "x", "x", "y", "z"]
    path = write(tmp_path / "m.csv", SMILES, np.linspace(0, 1, 10), user=users)
    dataset = read_molecules(path, "Drug", "Y", group="user")
    assert dataset.task == "regression"
    assert dataset.groups.tolist() == [0, 0, 1, 2, 3, 3, 4, 5]


def test_stereoisomers_are_two_molecules_of_one_group(tmp_path):
    dataset = read_molecules(write(tmp_path / "m.csv", ["C[C@H](N)O", "C[C@@H](N)O", "CC"], [0, 1, 0]), "Drug", "Y")
    assert dataset.groups.tolist() == [0, 0, 1]


def test_refused_rows_are_left_out_counted_and_listed(tmp_path, capfd):
    smiles = ["C" * n for n in range(1, 60)]
    smiles[6], smiles[20] = "C1C", ""
    dataset = read_molecules(write(tmp_path / "m.csv", smiles, [0, 1] * 29 + [0]), "Drug", "Y")
    assert (dataset.provenance.rows_refused, dataset.provenance.refused_rows) == (2, (7, 21))
    assert len(dataset) == 57
    assert capfd.readouterr() == ("", "")


def test_molecules_that_would_end_the_process_are_refused_by_row(tmp_path):
    smiles = ["C" * n for n in range(1, 80)]
    smiles[4], smiles[9], smiles[19] = "C" * 20_000, "C(" * 20_000 + "C" + ")" * 20_000, "C" * 1001
    smiles[29] = "C" * 1000
    dataset = read_molecules(write(tmp_path / "m.csv", smiles, [0, 1] * 39 + [0]), "Drug", "Y")
    assert (dataset.provenance.rows_refused, dataset.provenance.refused_rows) == (3, (5, 10, 20))
    assert "more than 1,000 atoms: 3 of 79 rows (data rows 5, 10, 20;" in dataset.provenance.notes[0]
    assert 30 in dataset.rows


def test_molecules_of_one_fingerprint_are_repeated(tmp_path):
    dataset = read_molecules(write(tmp_path / "m.csv", ["C[C@H](N)O", "C[C@@H](N)O", "CC"], [0, 1, 0]), "Drug", "Y")
    assert (dataset.provenance.repeated, dataset.provenance.conflicts) == (1, 1)


def test_too_many_refused_rows_are_an_error(tmp_path):
    path = write(tmp_path / "m.csv", ["not a molecule", *SMILES[1:]], [0, 1] * 5)
    with pytest.raises(InputError, match=r"'Drug' of 'm.csv' .* 1 of 10 rows \(data rows 1;.*more than 5%"):
        read_molecules(path, "Drug", "Y")


@pytest.mark.parametrize(
    ("smiles", "target", "message"),
    [
        ("Drugs", "Y", "no column 'Drugs' for the SMILES. Did you mean 'Drug'"),
        ("Drug", "y_", "no column 'y_' for the target"),
        ("Y", "Y", "'Y' of 'm.csv' holds int64, not SMILES"),
    ],
)
def test_wrong_columns(tmp_path, smiles, target, message):
    path = write(tmp_path / "m.csv", SMILES, [0, 1] * 5)
    with pytest.raises(InputError, match=message):
        read_molecules(path, smiles, target)


def test_a_missing_target_is_refused(tmp_path):
    path = write(tmp_path / "m.csv", SMILES, [0, None, *[1, 0] * 4])
    with pytest.raises(InputError, match="target 'Y' is missing"):
        read_molecules(path, "Drug", "Y")


def test_arrays_hold_no_smiles(tmp_path):
    np.savez(tmp_path / "m.npz", X=np.eye(2))
    with pytest.raises(InputError, match="SMILES come in a CSV or Parquet file"):
        read_molecules(tmp_path / "m.npz", "Drug", "Y")


def test_without_rdkit_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(InputError, match=r"pip install 'quantleak\[chem\]'"):
        parse(["C"])


def test_the_similarity_of_a_molecule_to_itself_written_otherwise_is_one():
    one, other = parse(["OCC", "CCO"]).fingerprints
    vectors = [DataStructs.CreateFromBitString("".join(map(str, row))) for row in (one, other)]
    assert DataStructs.TanimotoSimilarity(*vectors) == 1
