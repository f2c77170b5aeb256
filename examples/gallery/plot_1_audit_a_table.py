"""
Audit a table
=============

A CSV file with one row a patient, and a question: if a model trained on it is shipped, which quantizer reveals least
about who was in the training set?
"""

# %%
# The data: 500 visits of patients at four clinics, made up here. Your own file comes in the same shape.
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import quantleak as ql

rng = np.random.default_rng(0)
visits = pd.DataFrame(rng.normal(size=(500, 12)), columns=[f"marker_{i}" for i in range(12)])
visits["smoker"] = rng.choice(["yes", "no", "former"], 500)
visits["patient"] = rng.integers(0, 300, 500)
risk = visits.marker_0 + visits.marker_1 + (visits.smoker == "yes") + rng.normal(size=500)
visits["sick"] = (risk > 0.5).astype(int)

folder = Path(tempfile.mkdtemp())
visits.to_csv(folder / "visits.csv", index=False)

# %%
# Two visits of one patient belong together: `group` keeps them on one side of every split. Numbers are standardised,
# texts become categories, and the task follows from the target.
dataset = ql.read_table(folder / "visits.csv", "sick", group="patient")
dataset

# %%
# The audit. Eight models of ten epochs show how it goes; intervals that narrow need 64.
result = ql.audit(
    dataset,
    model="mlp:64",
    quantizers=("sign", "ternary:0.9", "uniform:4"),
    models=8,
    epochs=10,
    workers=1,
    out=folder / "audit",
)
result

# %%
# The same as a command::
#
#     quantleak audit --data visits.csv --target sick --group patient --model mlp:64 --models 8 --epochs 10 --out audit
#
# The folder holds the page for people and the files for programs.
sorted(path.name for path in (folder / "audit").iterdir())
