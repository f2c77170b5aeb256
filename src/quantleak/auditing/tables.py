"""The tidy tables behind the details of a report, from the outputs of the attack jobs; see `AuditResult`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from quantleak.auditing.attacks import AttackOutput
from quantleak.auditing.measures.classes import is_rare

Attacked = Mapping[str, AttackOutput]

ROC = ("attack", "mode", "fpr", "tpr", "low", "high")
SHARES = ("found", "found_low", "found_high", "alarms", "alarms_low", "alarms_high")
CLASSES = ("fpr", "class", "examples", "supported", *SHARES, "excess", "excess_low", "excess_high")
EXPOSED = ("position", *SHARES, "members", "others", "p")


def roc(attacked: Attacked) -> pd.DataFrame:
    """One row for each point of each curve."""
    return _table(attacked, "roc", ROC)


def classes(attacked: Attacked, names: Sequence[str] | None) -> pd.DataFrame:
    """One row for each quantizer, supported false-positive rate and class; classes by name."""
    table = _table(attacked, "classes", CLASSES)
    codes = table["class"].to_numpy(dtype=np.int64)
    sizes = table["examples"].to_numpy(dtype=np.int64)[: codes.max(initial=-1) + 1]
    table.insert(4, "rare", is_rare(sizes)[codes] if len(codes) else np.empty(0, dtype=bool))
    return table.assign(**{"class": [(names or ())[code] for code in codes]})


def exposed(attacked: Attacked, rows: np.ndarray) -> pd.DataFrame:
    """One row for each quantizer and exposed example, the most often found first; examples by row of the source."""
    table = _table(attacked, "exposed", EXPOSED)
    table.insert(1, "row", rows[table.pop("position").to_numpy(dtype=np.int64)])
    return table


def _table(attacked: Attacked, name: str, columns: Sequence[str]) -> pd.DataFrame:
    frames = []
    for spec, output in attacked.items():
        if f"{name}/{columns[0]}" in output.tables:
            frame = pd.DataFrame({column: output.tables[f"{name}/{column}"] for column in columns})
            frame.insert(0, "quantizer", spec)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["quantizer", *columns])
