"""What holds for every audit: what each figure means and does not mean, the threat model and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantleak.report import words
from quantleak.report.grid import Column, Row, Table, name
from quantleak.report.section import Section, Terms, with_symbols

if TYPE_CHECKING:
    from quantleak.results import AuditRecord

THREAT_MODEL = (
    "The attacker has the quantized weights and with them the logits of any input, knows the pool from which the "
    "training examples were drawn, and can train shadow models of the same kind on data of the same kind. They want to "
    "know whether a given example was used for training."
)

LIMITS = (
    "It speaks of this training procedure on these data, not of one trained model.",
    "A low figure says that these attacks, with this many shadow models, find little; another attack may find more.",
    "It covers membership only: neither what else can be inferred about a person nor the reconstruction of examples.",
    "r_Q and the Cramer rate compare quantizers at equal numbers of validation examples; a large value alone is no "
    "guarantee of privacy.",
)


MEANINGS = (
    (
        "Members found at 1% false alarms",
        "Of the examples a model was trained on, the share that the strongest attack finds when its false alarms are "
        "1% of the others (the true-positive rate, TPR, at a fixed false-positive rate, FPR). Guessing finds 1%.",
        "Not the chance that a given person is exposed: some examples are found nearly always, most never.",
    ),
    (
        "AUC of an attack",
        "The chance that a member scores above a non-member; 0.5 is guessing.",
        "Not a worst case: an attack that is sure of a few members hides in an AUC near 0.5.",
    ),
    (
        "Balanced accuracy and MIS bound",
        "With a threshold chosen on other data; the bound, twice the error left, limits Membership Inference "
        "Security from above. 1 is guessing.",
        "No proof of security: no attack can show that another does not do better.",
    ),
    (
        "r_Q and Cramer rate",
        "Theory's score of a quantizer against all attacks, known or not, under its assumptions (an "
        "empirical-risk minimiser over a discrete set, many training examples). Larger is more private.",
        "Not a probability, and below z = 2 not resolved. The number of distinct quantized models often ranks as well.",
    ),
    (
        "Intervals",
        "Where the figure would lie if models and examples were drawn again; differences are paired, so that "
        "what both sides share cancels.",
        "They do not cover other data, other architectures or attacks that were not tried.",
    ),
)
"""For each kind of figure its name, what it means, and what it does not mean."""

SHARED = (
    "Each model of the fleet is in turn the target and the others are its shadows, so the targets are not independent, "
    "and the {confidence} intervals of leakage and utility are over models and examples both, which models share."
)


NO_CAUTION = (
    "Nothing stands out: data, utility, training, the number of models and the false-positive rates were looked at."
)


def cautions_section(result: AuditRecord) -> Section:
    """What to know before the numbers are trusted."""
    texts = tuple(with_symbols(caution.text) for caution in result.cautions)
    return Section(title="Before you trust this", body=(Terms(items=texts) if texts else NO_CAUTION,), folded=False)


def meanings_section() -> Section:
    """What each figure means and does not mean."""
    columns = tuple(Column(title=title, numeric=False, wraps=True) for title in ("Figure", "Means", "Does not mean"))
    rows = tuple(Row(cells=tuple(map(name, texts))) for texts in MEANINGS)
    table = Table(caption="What each figure means and does not mean", columns=columns, rows=rows)
    return Section(title="What each figure means, and what it does not", body=(table,))


def threat_model_section(result: AuditRecord) -> Section:
    """The threat model, and what no audit says."""
    shared = SHARED.format(confidence=words.confidence(result))
    return Section(title="Threat model", body=(THREAT_MODEL, shared, Terms(items=tuple(map(with_symbols, LIMITS)))))
