"""What an audit says: one record, the same in Python, in `result.json` and in the report."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from quantleak.errors import InputError
from quantleak.store import begun, read_json, seal, verify, write, write_json

SCHEMA = 2
PAGES = ("report.html", "privacy-card.md", "privacy-card.json", "exposed.csv")
"""Files of a finished audit that are written for readers; see `quantleak.report.write_pages`."""

METRIC_NAMES = {"auroc": "AUROC", "accuracy": "accuracy", "r2": "R2", "spearman": "Spearman"}


@dataclass(frozen=True, kw_only=True)
class Number:
    """A value with its interval; None with a `reason` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def text(self, digits: int = 3) -> str:
        """`0.123 [0.100, 0.150]`, or `-`.

        Example:
            >>> Number(value=0.5, low=0.25, high=0.75).text(2)
            '0.50 [0.25, 0.75]'
        """
        if self.value is None:
            return "-"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.{digits}f}, {self.high:.{digits}f}]"
        return f"{self.value:.{digits}f}{interval}"


@dataclass(frozen=True, kw_only=True)
class Utility(Number):
    """How good the quantized models are on the test part: AUROC, accuracy or R2, the mean over models."""

    metric: str
    also: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RateSummary(Number):
    """A privacy rate, the median over models; larger = more private.

    Attributes:
        mean: Mean over models, the paper's average; heavy-tailed, so that no interval of it holds.
        resolution: Median over models of z; below 2 the best element cannot be told from its closest competitor.
        elements: Median number of distinct elements on a model's trajectory.
        n_validation: Validation examples behind it; rates compare only at equal numbers.
        unbounded: Models whose rate is infinite.
        undefined: Models that have none.
        rank: Rank of the median among the quantizers, 1 = most private.
        more_private_than: By other quantizer, how sure it is that this one has the larger rate in most models (1 less
            the p-value of a sign test on the same models; 0.5 where nothing is known).
        certificate_start: Of the Cramer rate: the number of training examples from which on an empirical-risk minimiser
            over the distinct quantized models has a certificate, the median over models; None if half of them never
            have one.
        certified: Of the Cramer rate: models that have one with as many members as they were trained on.
        certificates: Of the Cramer rate: models of which these two are known, without those of a single quantized
            model, which proves nothing.
    """

    mean: float | None = None
    resolution: float | None = None
    elements: float | None = None
    n_validation: int | None = None
    unbounded: int = 0
    undefined: int = 0
    rank: Number | None = None
    more_private_than: dict[str, float] = field(default_factory=dict)
    certificate_start: float | None = None
    certified: int = 0
    certificates: int = 0


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """One attack on all models of one quantizer.

    Attributes:
        name: Which attack; `quantleak list attacks` explains.
        mode: Which shadows: `adaptive` (quantized alike), `transfer` (full precision), `recalibrated` (full precision,
            target signals mapped back), or `none` for an attack without shadows.
        convention: Its conventions.
        auc: Area under the ROC, mean over targets.
        tpr: True-positive rate by false-positive rate; a rate that so few examples cannot support is None.
        balanced_accuracy: With the threshold chosen on other targets.
        mis_bound: Upper bound on Membership Inference Security from that accuracy.
        ppv: Positive predictive value, by false-positive rate and by the share of members among all examples (prior).
        reason: Why the attack could not run; then there are no numbers.
        via: Of the original: the quantizer that the attacker applies first; None if the model is attacked as it is.
    """

    name: str
    mode: str
    convention: dict[str, Any]
    auc: Number
    tpr: dict[str, Number]
    balanced_accuracy: Number
    mis_bound: Number
    ppv: dict[str, dict[str, Number]] = field(default_factory=dict)
    reason: str | None = None
    via: str | None = None


@dataclass(frozen=True, kw_only=True)
class Worst(Number):
    """The strongest attack, chosen on one half of the targets, measured on the other.

    Attributes:
        name: The attack.
        mode: Its mode.
        fpr: False-positive rate at which `value` is the true-positive rate; None where no rate is supported and
            `value` is the AUC.
        auc: Its AUC on the same half.
        via: Of the original: the quantizer that the attacker applies first; None if the model is attacked as it is.
    """

    name: str
    mode: str
    fpr: float | None
    auc: Number
    via: str | None = None


@dataclass(frozen=True, kw_only=True)
class PerExample(Number):
    """The true-positive rate at a false-positive rate that holds for every example by itself.

    Each example has a p-value of its own, from a Student-t predictive of the models not trained on it; those whose
    p-value is at most `fpr` are called members. There is no value where the achieved rate misses the claimed one by
    more than a factor of 1.5.

    Attributes:
        mode: Which shadows, as of an attack.
        fpr: The claimed false-positive rate.
        achieved: The rate achieved on non-members that were not used, pooled over targets and examples.
        spread: Standard deviation over examples of their own achieved rates, beyond binomial noise.
        cells: Pairs of a target and a non-member behind `achieved`.
    """

    mode: str
    fpr: float
    achieved: float | None
    spread: float | None
    cells: int


@dataclass(frozen=True, kw_only=True)
class QuantizerResult:
    """Everything about one quantizer.

    Attributes:
        per_example: What an attacker finds whose false-positive rate holds for every example.
        versus_original: Differences to the unquantized models, paired: `utility`, and `worst` leakage.
    """

    spec: str
    effective_bits: float
    utility: Utility
    rate: RateSummary
    cramer: RateSummary
    attacks: list[AttackResult]
    worst: Worst
    versus_original: dict[str, Number]
    per_example: list[PerExample] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Which quantizer to ship.

    Attributes:
        quantizer: Its spec, or None if none keeps enough utility.
        reason: Why, in a sentence or two.
        clear: Whether it leaks less than the original and every other that keeps the utility, beyond doubt.
        headline: What to ship, in a line.
        sure: How sure that is, in a sentence or two.
        versus: By the spec of each of these others, the original among them: its leakage less theirs, paired.
    """

    quantizer: str | None
    reason: str
    clear: bool
    headline: str = ""
    sure: str = ""
    versus: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """The result of :func:`quantleak.audit`; `schema` 2 of `result.json`.

    Attributes:
        id: Hash of everything that fixes the numbers: data, settings, seed, `RESULTS_VERSION`.
        timings: Seconds by stage, and `processes`.
        models: One row for each (model, quantizer): rates, resolution, elements, utility.
        targets: One row for each (target model, quantizer, attack, mode): AUC and true-positive rates.
        roc: Points of the ROC curves of the worst attack and of LOSS: `quantizer`, `attack`, `mode`, `fpr`, `tpr`,
            `low`, `high`; means over the targets that did not choose the worst attack, as all below.
        classes: One row for each (quantizer, class): `class`, `examples` of the pool, whether that is `rare`, and the
            shares of members `found` and of false alarms among non-members (`alarms`) with `_low` and `_high`. Empty
            for regression, or where no false-positive rate is supported.
        exposed: The most exposed examples of each quantizer, by `row` of the source (data rows counted from 1): the
            share of `members` models trained on it in which it is `found`, and of `others` that flag it too (`alarms`).
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

    TABLES: ClassVar[tuple[str, ...]] = ("models", "targets", "roc", "classes", "exposed")

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
        if (begun(folder) or {"id": self.id}).get("id") != self.id:
            raise InputError(f"{folder} holds another audit; nothing was changed. Give another folder.")
        write_json(folder / "result.json", self.to_dict())
        for name in self.TABLES:
            buffer = io.BytesIO()
            getattr(self, name).to_parquet(buffer, index=False)
            write(folder / f"{name}.parquet", buffer.getvalue())
        names = ["result.json", *(f"{name}.parquet" for name in self.TABLES), *PAGES]
        seal(folder, [name for name in names if (folder / name).exists()], self.id)

    @classmethod
    def load(cls, folder: str | Path) -> AuditResult:
        """Read what an audit wrote into `folder`, checking every file that is read.

        Raises:
            InputError: A folder without a finished audit, a damaged file, or a result of another schema.
        """
        folder = Path(folder)
        verify(folder, skip=PAGES)
        content = read_json(folder / "result.json")
        tables = [folder / f"{name}.parquet" for name in cls.TABLES]
        if content.pop("schema", None) != SCHEMA or not all(path.exists() for path in tables):
            raise InputError(f"{folder} was written by another version of quantleak; audit again into another folder.")
        try:
            recommended = TypeAdapter(Recommendation).validate_python(content["recommended"])
            quantizers = TypeAdapter(list[QuantizerResult]).validate_python(content["quantizers"])
        except (ValidationError, KeyError) as error:
            raise InputError(f"{folder / 'result.json'} does not hold an audit's result: {error}") from error
        names = ("id", "task", "n", "data", "settings", "seeds", "versions", "timings")
        plain: dict[str, Any] = {name: content[name] for name in names}
        return cls(
            recommended=recommended,
            quantizers=quantizers,
            **plain | {path.stem: pd.read_parquet(path) for path in tables},
        )

    def __str__(self) -> str:
        """The recommendation and one line a quantizer."""
        from quantleak.report.table import text_table

        return text_table(self)

    def _repr_html_(self) -> str:
        from quantleak.report.table import html_table

        return html_table(self)


def number(value: float, low: float = math.nan, high: float = math.nan, reason: str | None = None) -> Number:
    """A :class:`Number` from floats; what is not finite becomes None."""
    return Number(value=finite(value), low=finite(low), high=finite(high), reason=reason)


def finite(value: float | None) -> float | None:
    """The value as a float, or None if it is None, NaN or infinite."""
    return float(value) if value is not None and math.isfinite(value) else None


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return finite(value) if isinstance(value, float) else value


def _long(result: QuantizerResult) -> list[dict[str, Any]]:
    def row(metric: str, item: Number, attack: AttackResult | None = None) -> dict[str, Any]:
        name, mode, via = (None, None, None) if attack is None else (attack.name, attack.mode, attack.via)
        return {
            "quantizer": result.spec, "attack": name, "mode": mode, "via": via, "metric": metric,
            "value": item.value, "low": item.low, "high": item.high,
        }  # fmt: skip

    rows = [row(result.utility.metric, result.utility), row("r_q", result.rate), row("cramer", result.cramer)]
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
