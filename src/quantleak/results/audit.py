"""The record of an audit: the same in Python and in `result.json`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from quantleak.errors import InputError
from quantleak.renamed import with_new_names
from quantleak.results.estimate import Estimate, finite
from quantleak.results.records import AttackResult, Caution, QuantizerResult, Recommendation
from quantleak.store import read_json, read_run, verify, write, write_json, write_manifest

SCHEMA = 3
PAGES = ("report.html", "privacy-card.md", "privacy-card.json", "exposed.csv")
"""Files of a finished audit that are written for readers; see `quantleak.report.write_pages`."""


Result = TypeVar("Result", bound="AuditRecord")


@dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """The result of :func:`quantleak.audit` without words; `schema` 3 of `result.json`.

    Attributes:
        id: Hash of everything that fixes the numbers: data, settings, seed, `RESULTS_VERSION`.
        timings: Seconds by stage, and `processes`.
        models: One row for each (model, quantizer): rates, resolution, elements, utility.
        targets: One row for each (target model, quantizer, attack, mode): AUC and true-positive rates of all targets;
            `half` says which chose the strongest attack (`choosing`) and which report it (`reporting`).
        roc: Points of the ROC curves of the worst attack and of LOSS: `quantizer`, `attack`, `mode`, `fpr`, `tpr`,
            `low`, `high`; means over the targets that did not choose the worst attack, as all below.
        classes: One row for each (quantizer, supported false-positive rate, class): `class`, `examples` of the pool,
            whether that is `rare`, whether it is `supported`, the shares of members `found` and of false alarms among
            non-members (`alarms`), and the `excess` of the first over the second, with `_low` and `_high`. Empty for
            regression, or where no false-positive rate is supported.
        exposed: The examples of each quantizer that are exposed beyond chance, by `row` of the source (data rows
            counted from 1): the share of `members` models trained on it in which it is `found`, and of `others` that
            flag it too (`alarms`), with `_low` and `_high`, and the p-value `p`.
        calibration: The examples on which models were calibrated, by `source`, `model` and `row`: of the source of the
            data (data rows counted from 1), or of the public data.
        cautions: What to know before these numbers are trusted.
    """

    id: str
    task: str
    n: dict[str, int]
    recommended: Recommendation
    quantizers: list[QuantizerResult]
    data: dict[str, Any]
    settings: dict[str, Any]
    seeds: dict[str, int]
    versions: dict[str, str]
    timings: dict[str, float]
    models: pd.DataFrame
    targets: pd.DataFrame
    roc: pd.DataFrame = field(default_factory=pd.DataFrame)
    classes: pd.DataFrame = field(default_factory=pd.DataFrame)
    exposed: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    cautions: list[Caution] = field(default_factory=list)

    TABLES: ClassVar[tuple[str, ...]] = ("models", "targets", "roc", "classes", "exposed", "calibration")

    def __getitem__(self, spec: str) -> QuantizerResult:
        """The results of one quantizer."""
        found = {result.spec: result for result in self.quantizers}
        if spec not in found:
            raise InputError(f"This audit has no quantizer '{spec}', only {', '.join(found)}.")
        return found[spec]

    def to_dict(self) -> dict[str, Any]:
        """What `result.json` holds: plain values, None for what has no number."""
        fields = {name: value for name, value in vars(self).items() if name not in self.TABLES}
        return {"schema": SCHEMA, **{name: _plain(value) for name, value in fields.items()}}

    def to_frame(self) -> pd.DataFrame:
        """Tidy long form: one row for each number, with quantizer, attack, mode, via, metric, value, low, high."""
        return pd.DataFrame([row for result in self.quantizers for row in _long(result)])

    def save(self, folder: str | Path) -> None:
        """Write `result.json` and the Parquet tables, and last `manifest.json` with the checksums of all final files.

        Raises:
            InputError: If the folder holds another audit.
        """
        folder = Path(folder)
        if (read_run(folder) or {"id": self.id}).get("id") != self.id:
            raise InputError(f"{folder} holds another audit; nothing was changed. Give another folder.")
        write_json(folder / "result.json", self.to_dict())
        for name in self.TABLES:
            buffer = io.BytesIO()
            getattr(self, name).to_parquet(buffer, index=False)
            write(folder / f"{name}.parquet", buffer.getvalue())
        names = ["result.json", *(f"{name}.parquet" for name in self.TABLES), *PAGES]
        write_manifest(folder, [name for name in names if (folder / name).exists()], self.id)

    @classmethod
    def load(cls: type[Result], folder: str | Path) -> Result:
        """Read what an audit wrote into `folder`, checking every file that is read.

        Raises:
            InputError: A folder without a finished audit, a damaged file, or a result of another schema.
        """
        folder = Path(folder)
        verify(folder, skip=PAGES)
        content = read_json(folder / "result.json")
        tables = [folder / f"{name}.parquet" for name in cls.TABLES]
        # Audits before there was such a table read nothing of the data, or did not say what.
        tables = [path for path in tables if path.exists() or path.stem != "calibration"]
        if content.pop("schema", None) != SCHEMA or not all(path.exists() for path in tables):
            raise InputError(f"{folder} was written by another version of quantleak; audit again into another folder.")
        try:
            recommended = TypeAdapter(Recommendation).validate_python(content["recommended"])
            quantizers = TypeAdapter(list[QuantizerResult]).validate_python(content["quantizers"])
            cautions = TypeAdapter(list[Caution]).validate_python(content["cautions"])
        except (ValidationError, KeyError) as error:
            raise InputError(f"{folder / 'result.json'} does not hold an audit's result: {error}") from error
        names = ("id", "task", "n", "data", "settings", "seeds", "versions", "timings")
        plain: dict[str, Any] = {name: content[name] for name in names}
        plain["settings"] = with_new_names(plain["settings"])
        return cls(
            recommended=recommended,
            quantizers=quantizers,
            cautions=cautions,
            **plain | {path.stem: pd.read_parquet(path) for path in tables},
        )


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return finite(value) if isinstance(value, float) else value


def _long(result: QuantizerResult) -> list[dict[str, Any]]:
    def row(metric: str, item: Estimate, attack: AttackResult | None = None) -> dict[str, Any]:
        name, mode, via = (None, None, None) if attack is None else (attack.name, attack.mode, attack.via)
        return {
            "quantizer": result.spec, "attack": name, "mode": mode, "via": via, "metric": metric,
            "value": item.value, "low": item.low, "high": item.high,
        }  # fmt: skip

    rows = [row(result.utility.metric, result.utility), row("r_q", result.rate), row("cramer", result.cramer)]
    rows += [row("fidelity", result.fidelity)]
    by_strongest = {"attack": result.worst.name, "mode": result.worst.mode, "via": result.worst.via}
    rows += [row(f"excess@{item.fpr:g},class={item.name}", item) | by_strongest for item in result.classes]
    rows += [row(name, item) for name, item in result.utility.also.items()]
    for attack in result.attacks:
        named = {"auc": attack.auc, "balanced_accuracy": attack.balanced_accuracy, "mis_bound": attack.mis_bound}
        named |= {f"tpr@{fpr}": item for fpr, item in attack.tpr.items()}
        named |= {
            f"ppv@{fpr},prior={prior}": item for fpr, priors in attack.ppv.items() for prior, item in priors.items()
        }
        rows += [row(metric, item, attack) for metric, item in named.items()]
    rows += [
        row(f"tpr@{item.fpr:g}", item) | {"attack": "per-example", "mode": item.mode} for item in result.per_example
    ]
    return rows
