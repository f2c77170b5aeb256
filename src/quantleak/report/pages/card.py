"""The privacy card: what a model card should say about membership, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from quantleak.report import digits, words
from quantleak.report.grid import estimate
from quantleak.report.names import ORIGINAL, in_words, shadows
from quantleak.report.pages.command import command
from quantleak.report.sections.controls import sentences
from quantleak.report.sections.statements import LIMITS, THREAT_MODEL
from quantleak.report.template import render
from quantleak.results import Estimate

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, Estimate, QuantizerResult, RateSummary

SCHEMA = 2


def card(
    result: AuditRecord, quantizer: str | None = None, defaults: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """The values of the card, ready for JSON.

    Args:
        result: Of an audit.
        quantizer: Spec of the quantizer that the card is for; None takes the recommended one, or else the least leaking
            one, or else the original.
        defaults: Default values of settings, which the printed command leaves out.

    Raises:
        InputError: If the audit has no such quantizer.
    """
    advice = result.recommended
    chosen = result[quantizer or advice.quantizer or advice.least_leaking or ORIGINAL]
    return {
        "schema": SCHEMA,
        "audit": result.id,
        "dataset": words.dataset_name(result),
        "task": result.task,
        "quantizer": chosen.spec,
        "in_words": in_words(chosen.spec),
        "effective_bits": chosen.effective_bits,
        "recommendation": {
            "quantizer": advice.quantizer,
            "is_this": chosen.spec == advice.quantizer,
            "outcome": advice.outcome,
            "headline": words.headline(advice),
            "reason": advice.reason,
            "whom": advice.whom,
            "sure": advice.sure,
            "clear": advice.clear,
        },
        "risk_limit": result.settings.get("risk_limit"),
        "cautions": [caution.text for caution in result.cautions],
        "leakage": _leakage(chosen),
        "original_leakage": _leakage(result[ORIGINAL]),
        "worst_class": _class(chosen),
        "original_worst_class": _class(result[ORIGINAL]),
        "exposed": asdict(chosen.exposure),
        "fidelity": _number(chosen.fidelity),
        "utility": {"metric": chosen.utility.metric, **_number(chosen.utility)},
        "original_utility": {"metric": chosen.utility.metric, **_number(result[ORIGINAL].utility)},
        "against_the_original": {key: _number(value) for key, value in chosen.versus_original.items()},
        "noise": None if chosen.noise is None else _number(chosen.noise) | {"factor": chosen.noise.factor},
        "calibration": None if chosen.calibration is None else asdict(chosen.calibration),
        "controls": sentences(chosen),
        "r_q": _rate(chosen.rate),
        "cramer": _rate(chosen.cramer),
        "threat_model": THREAT_MODEL,
        "limits": list(LIMITS),
        "measured": measured(result),
        "level": result.settings.get("level", 0.95),
        "n": result.n,
        "settings": result.settings,
        "seeds": result.seeds,
        "versions": result.versions,
        "command": command(result, defaults),
    }


def markdown(values: dict[str, Any]) -> str:
    """The card as Markdown for a model card; every text from the data is escaped for Markdown and for HTML."""
    leakage, original = values["leakage"], values["original_leakage"]
    classes = values["worst_class"], values["original_worst_class"]
    of_class = [("Worst class: members found minus false alarms", *map(_shown_class, classes))] if any(classes) else []
    text = render(
        "card.md.j2",
        card=values,
        leakage_title=words.leakage(leakage["fpr"]),
        rows=[
            (words.metric(values["utility"]["metric"]), *_pair(values, "utility", digits.score)),
            (words.leakage(leakage["fpr"]), _shown(leakage, _form(leakage)), _shown(original, _form(original))),
            *of_class,
            ("AUC of that attack", *(_shown(item["auc"], digits.score) for item in (leakage, original))),
        ],
        r_q=_shown(values["r_q"], digits.significant),
        resolution=digits.text(values["r_q"]["resolution"], digits.resolution),
        confidence=digits.rate(float(values["level"])),
    )
    return text.rstrip() + "\n"


def measured(result: AuditRecord) -> str:
    """How the figures came about, in two sentences."""
    attacks = len({(attack.name, attack.mode) for row in result.quantizers for attack in row.attacks})
    return (
        f"{words.trained(result)}. Each model in turn was the target of all others as shadow models; the strongest of "
        f"{attacks} attacks was chosen on one half of the models and measured on the other; intervals are over models "
        "and examples."
    )


def _number(number: Estimate) -> dict[str, Any]:
    return {"value": number.value, "low": number.low, "high": number.high, "reason": number.reason}


def _leakage(row: QuantizerResult) -> dict[str, Any]:
    worst = row.worst
    return {"attack": worst.name, "mode": shadows(worst), "fpr": worst.fpr, **_number(worst), "auc": _number(worst.auc)}


def _class(row: QuantizerResult) -> dict[str, Any] | None:
    worst = row.worst_class
    if worst is None:
        return None
    parts = {"found": _number(worst.found), "alarms": _number(worst.alarms)}
    return {"name": worst.name, "fpr": worst.fpr, **_number(worst), **parts}


def _shown_class(worst: dict[str, Any] | None) -> str:
    return digits.MISSING if worst is None else f"{_shown(worst, digits.points)} ({worst['name']})"


def _rate(rate: RateSummary) -> dict[str, Any]:
    kept = ("resolution", "elements", "n_validation", "certificate_start", "certified", "certificates")
    return {**_number(rate), **{name: asdict(rate)[name] for name in kept}}


def _form(leakage: dict[str, Any]) -> digits.Format:
    return digits.score if leakage["fpr"] is None else digits.percent


def _pair(values: dict[str, Any], name: str, form: digits.Format) -> tuple[str, str]:
    return _shown(values[name], form), _shown(values[f"original_{name}"], form)


def _shown(number: dict[str, Any], form: digits.Format) -> str:
    ends = {key: number[key] for key in ("value", "low", "high")}
    return str(estimate(Estimate(**ends), form))
