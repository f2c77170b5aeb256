"""Selections from the findings that several figures draw."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from quantleak.quantizers import BASELINE
from quantleak.studies.vision.figures.drawing import NAMES, width_name
from quantleak.studies.vision.findings import METRIC, Findings
from quantleak.studies.vision.jobs import ADAPTIVE, ONLINE, STRONGEST

KEYS = ["data", "quantizer", "part", "method", "width", "head"]


def leakage(
    findings: Findings, mode: str, parts: Sequence[str], attack: str = ONLINE, metric: str = METRIC
) -> pd.DataFrame:
    """Rows of some parts of the study with the leakage to one attack in one mode, and their accuracy."""
    every = findings.attacks
    rows = every[
        every["part"].isin(parts) & (every["attack"] == attack) & (every["mode"] == mode) & (every["metric"] == metric)
    ]
    keep = [*KEYS, "value", "low", "high", "spread"]
    columns = [*KEYS, "accuracy", "accuracy_low", "accuracy_high", "bits", "kilobytes"]
    return rows[keep].merge(findings.utility[columns], on=KEYS, how="left").reset_index(drop=True)


def original(findings: Findings, data: str, attack: str = ONLINE, metric: str = METRIC) -> pd.DataFrame:
    """The row of the original; what attacks it has float shadows, which are the quantized ones too."""
    mode = "any" if attack == STRONGEST else ADAPTIVE
    rows = leakage(findings, mode, [BASELINE], attack, metric)
    return rows[rows["data"] == data].dropna(subset=["value"])


def named(frame: pd.DataFrame, *, head: bool = False) -> list[str]:
    """Names of rows for readers, such as `BRECQ, 2 bits`."""
    names = [f"{NAMES.get(m, m)}, {width_name(str(w))}" for m, w in zip(frame["method"], frame["width"], strict=True)]
    heads = ["" if h == "body" or not head else f", head {_head(h)}" for h in frame["head"]]
    return [name + end for name, end in zip(names, heads, strict=True)]


def _head(option: str) -> str:
    return option if option == "float" else f"{option} bits"


def panel_title(findings: Findings, data: str, words: str) -> str:
    """The words, with the name of the data set where there are several."""
    return words if len(findings.measured) == 1 else f"{data}: {words}"
