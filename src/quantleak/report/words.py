"""Sentences and names that the terminal, the notebook and the page share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantleak.report import digits
from quantleak.report.names import full
from quantleak.results import METRIC_NAMES

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, Recommendation

PARTS = ("pool", "validation", "population", "test", "calibration")


def headline(recommended: Recommendation) -> str:
    """What to ship, in one line; the recommendation's own words where it has some.

    Example:
        >>> from quantleak.results import Recommendation
        >>> headline(Recommendation(quantizer="ternary:0.9", reason="It leaks least.", clear=False))
        'Ship 90% sparse (ternary:0.9).'
    """
    if recommended.headline:
        return recommended.headline
    if recommended.quantizer is None:
        return "No quantizer to recommend."
    return f"Ship {full(recommended.quantizer)}."


def advice(recommended: Recommendation) -> list[str]:
    """What follows the headline: how large the risk is, for whom, and how sure that is."""
    parts = {"How bad?": recommended.reason, "For whom?": recommended.whom, "How sure?": recommended.sure}
    return [f"{question} {answer}" for question, answer in parts.items() if answer]


def metric(name: str) -> str:
    """A metric as it is written."""
    text = METRIC_NAMES.get(name, name)
    return text[:1].upper() + text[1:]


def leakage(fpr: float | None) -> str:
    """The headline measure of leakage, for a reader who knows no TPR.

    Example:
        >>> leakage(0.01), leakage(None)
        ('Members found at 1% false alarms', 'AUC of the attack')
    """
    return "AUC of the attack" if fpr is None else f"Members found at {digits.rate(fpr)} false alarms"


def confidence(result: AuditRecord) -> str:
    """The level of the intervals, `95%`."""
    return digits.rate(float(result.settings.get("level", 0.95)))


def trained(result: AuditRecord) -> str:
    """What was trained, on how many examples, and what the utility is."""
    settings = result.settings
    facts = [
        f"{settings[name]} {unit}".strip()
        for name, unit in {"models": "models", "model": "", "epochs": "epochs"}.items()
        if name in settings
    ]
    parts = [f"{part} {digits.count(result.n[part])}" for part in PARTS if part in result.n]
    sentences = ", ".join(facts), f"{result.task}; examples: {', '.join(parts)}", f"{confidence(result)} intervals"
    return "; ".join(sentence for sentence in sentences if sentence)


def dataset_name(result: AuditRecord) -> str:
    """The name of the data set, or of the file that it came from."""
    return str(result.data.get("name") or result.data.get("source") or "a data set")
