"""What holds for every audit, said once for page and card: threat model, limits, what figures mean and do not."""

from __future__ import annotations

from dataclasses import dataclass

from quantleak.report.grid import Column, Row, Table, name

THREAT_MODEL = (
    "The attacker has the quantized weights and with them the logits of any input, knows the pool from which the "
    "training examples were drawn, and can train shadow models of the same kind on data of the same kind. They want to "
    "know whether a given example was used for training."
)

LIMITS = (
    "It speaks of this training procedure on these data, not of one trained model.",
    "A low figure says that these attacks, with this many shadow models, find little; another attack may find more.",
    "It covers membership only: not attribute inference, not reconstruction, not what predictions reveal by intent.",
    "r_Q and the Cramer rate rank quantizers at equal numbers of validation examples; their size promises nothing.",
)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One kind of figure."""

    figure: str
    means: str
    does_not: str


MEANINGS = (
    Meaning(
        figure="Members found at 1% false alarms",
        means="Of the examples a model was trained on, the share that the strongest attack finds when its false "
        "alarms are 1% of the others (a true-positive rate at a fixed false-positive rate). Guessing finds 1%.",
        does_not="Not the chance that a given person is exposed: some examples are found nearly always, most never.",
    ),
    Meaning(
        figure="AUC of an attack",
        means="The chance that a member scores above a non-member; 0.5 is guessing.",
        does_not="Not a worst case: an attack that is sure of a few members hides in an AUC near 0.5.",
    ),
    Meaning(
        figure="Balanced accuracy and MIS bound",
        means="With a threshold chosen on other data; the bound, twice the error left, limits Membership Inference "
        "Security from above. 1 is guessing.",
        does_not="No proof of security: no attack can show that another does not do better.",
    ),
    Meaning(
        figure="r_Q and Cramer rate",
        means="Theory's score of a quantizer against all attacks, known or not, under its assumptions (an "
        "empirical-risk minimiser over a discrete set, many training examples). Larger is more private.",
        does_not="Not a probability, and below z = 2 not resolved. A count of distinct elements often ranks as well.",
    ),
    Meaning(
        figure="Intervals",
        means="Where the figure would lie if models and examples were drawn again; differences are paired, so that "
        "what both sides share cancels.",
        does_not="They do not cover other data, other architectures or attacks that were not tried.",
    ),
)


def meanings() -> Table:
    """What each figure means and does not mean."""
    columns = tuple(Column(title=title, numeric=False, wraps=True) for title in ("Figure", "Means", "Does not mean"))
    rows = tuple(Row(cells=(name(item.figure), name(item.means), name(item.does_not))) for item in MEANINGS)
    return Table(caption="What each figure means and does not mean", columns=columns, rows=rows)
