"""The data sets that scikit-learn installs with itself: no download, always there."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Columns, Features, Ready
from quantleak.data.targets import Targets, read_targets
from quantleak.errors import InputError, nearest

DESCRIPTIONS = {
    "breast_cancer": "569 tumours, 30 measurements, benign or malignant",
    "digits": "1,797 handwritten digits, 8 x 8 pixels, 10 classes",
    "wine": "178 wines, 13 chemical measurements, 3 cultivars",
    "diabetes": "442 patients, 10 measurements, progression after a year (regression)",
}


def available() -> tuple[str, ...]:
    """Names of the bundled data sets.

    Example:
        >>> available()
        ('breast_cancer', 'digits', 'wine', 'diabetes')
    """
    return tuple(DESCRIPTIONS)


def bundled(name: str) -> Dataset:
    """A bundled data set by name.

    Measurements are raw columns; pixels of `digits` are divided by 16 and not standardised.

    Raises:
        InputError: If the name is unknown.

    Example:
        >>> bundled("wine")
        Dataset('wine', multiclass, 3 classes, 178 examples in 178 groups)
    """
    if name not in DESCRIPTIONS:
        raise InputError(f"Unknown data set {name!r}.{nearest(name, available())} Known: {', '.join(available())}.")
    bunch = _load(name)
    features = _features(name, bunch)
    targets = _targets(bunch)
    provenance = Provenance(
        source=f"scikit-learn: {name}",
        rows_read=len(features),
        target="target",
        columns=tuple(map(str, bunch.feature_names)),
        task_rule=targets.rule,
    )
    return assemble(name, features, targets, provenance)


def _load(name: str) -> Any:
    # Importing scikit-learn takes half a second, which `available` should not cost.
    from sklearn import datasets

    # Its default for diabetes is scaled with all rows, members included.
    return datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()


def _features(name: str, bunch: Any) -> Features:
    if name == "digits":
        return Ready(values=bunch.data.astype(np.uint8), divisor=16.0)
    return Columns(names=tuple(map(str, bunch.feature_names)), numeric=bunch.data)


def _targets(bunch: Any) -> Targets:
    coded = read_targets(bunch.target, "target")
    if coded.classes is None:
        return coded
    return Targets(task=coded.task, values=coded.values, classes=tuple(map(str, bunch.target_names)), rule=coded.rule)
