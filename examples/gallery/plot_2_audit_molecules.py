"""
Audit molecules
===============

Which quantizer hides best which molecules a company has tested? SMILES become Morgan fingerprints (this needs RDKit:
``pip install 'quantleak[chem]'``).
"""

# %%
# The molecules are put together from fragments, so that this page needs no download: every pair of substituents on
# four aromatic cores. The property to predict is made up too: rich in nitrogen and oxygen or not, with some noise.
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import quantleak as ql

cores = ["c1cc({})ccc1{}", "c1cc({})ncc1{}", "c1c({})oc(C)c1{}", "c1c({})sc(C)c1{}"]
groups = [
    "C",
    "CC",
    "C(C)C",
    "O",
    "OC",
    "N",
    "NC",
    "C(=O)O",
    "C(=O)N",
    "C#N",
    "Cl",
    "F",
    "S(=O)(=O)N",
    "CCO",
    "CN1CCOCC1",
]
smiles = [core.format(left, right) for core in cores for left, right in product(groups, repeat=2)]

rng = np.random.default_rng(0)
polar = np.array([text.count("N") + text.count("O") + text.count("o") + text.count("n") for text in smiles])
frame = pd.DataFrame({"smiles": smiles, "polar": (polar + rng.normal(0, 0.7, len(smiles)) > 2.5).astype(int)})
folder = Path(tempfile.mkdtemp())
frame.to_csv(folder / "molecules.csv", index=False)
frame.sample(5, random_state=0)

# %%
# Rows that RDKit refuses are left out and listed. Some texts are the same molecule written twice: one row is kept, and
# the provenance says how many there were.
dataset = ql.read_molecules(folder / "molecules.csv", "smiles", "polar")
print(dataset, f"{dataset.provenance.duplicates_removed} duplicates removed", sep="\n")

# %%
result = ql.audit(
    dataset,
    model="mlp:32",
    quantizers=("sign", "uniform:4"),
    models=8,
    epochs=10,
    workers=1,
)
result

# %%
# The same as a command::
#
#     quantleak audit --data molecules.csv --smiles smiles --target polar --models 64 --out audit
