"""What is claimed, by the paper and by us, with thresholds that were written before the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from quantleak.studies.synthetic import verdicts
from quantleak.studies.synthetic.findings import Findings
from quantleak.studies.synthetic.findings.findings import COUNT, PAPER, PROPOSED
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of the study.

    Attributes:
        id: Short name.
        source: Where it is made: a part of paper A, or `ours`.
        claim: In words.
        threshold: When it holds, in words.
        paper: The paper's figure, where it gives one.
        judge: From the study to the verdict.
    """

    id: str
    source: str
    claim: str
    threshold: str
    judge: Callable[[Synthetic, Tables, Findings], Verdict]
    paper: float | None = None

    def judged(self, study: Synthetic, tables: Tables, findings: Findings) -> dict[str, Any]:
        """The claim and its verdict, ready for JSON."""
        words = {name: getattr(self, name) for name in ("id", "source", "claim", "threshold", "paper")}
        return words | asdict(self.judge(study, tables, findings))


BITS = ("uniform:5", "uniform:4", "uniform:3")
CLAIMS = (
    Claim(
        id="table2",
        source="paper A, Table 2",
        claim="The accuracies are the paper's.",
        threshold="mean absolute difference at sigma = 2 at most 0.015",
        paper=0.0,
        judge=verdicts.accuracies,
    ),
    Claim(
        id="r_q-ranks-as-mis",
        source="paper A, Figure 2",
        claim="r_Q ranks the eight quantizers as the strongest attack's MIS does, on average over the distributions.",
        threshold="mean Spearman at least 0.81, the paper's less 0.05",
        paper=0.86,
        judge=verdicts.agreement_of(PAPER, 0.81),
    ),
    Claim(
        id="r_q-ranks-as-mis-everywhere",
        source="paper A, Figure 2",
        claim="It does so on every distribution.",
        threshold="smallest Spearman at least 0.62, the paper's smallest",
        paper=0.62,
        judge=verdicts.smallest_agreement,
    ),
    Claim(
        id="bits-least-private-r_q",
        source="paper A, section 5.1",
        claim="By r_Q, 5 bits, then 4, then 3 are the least private.",
        threshold="in this order in more than half of the distributions",
        judge=verdicts.ordered("r_q", *BITS),
    ),
    Claim(
        id="bits-least-private-attack",
        source="paper A, section 5.1",
        claim="By the strongest attack, 5 bits, then 4, then 3 are the least private.",
        threshold="in this order in more than half of the distributions",
        judge=verdicts.ordered("mis", *BITS),
    ),
    Claim(
        id="90-most-private-r_q",
        source="paper A, section 5.1",
        claim="By r_Q, 90% sparsity is the most private, then 50%.",
        threshold="these two first, in more than half of the distributions",
        judge=verdicts.most_private("r_q", "ternary:0.9", "ternary:0.5"),
    ),
    Claim(
        id="90-most-private-attack",
        source="paper A, section 5.1",
        claim="By the strongest attack, 90% sparsity is the most private, then 50%.",
        threshold="these two first, in more than half of the distributions",
        judge=verdicts.most_private("mis", "ternary:0.9", "ternary:0.5"),
    ),
    Claim(
        id="sign-below-33-r_q",
        source="paper A, section 5.1",
        claim="By r_Q, sign is less private than 33% sparsity although it has fewer bits.",
        threshold="in more than half of the distributions",
        judge=verdicts.ordered("r_q", "sign", "ternary:0.33"),
    ),
    Claim(
        id="sign-below-33-attack",
        source="paper A, section 5.1",
        claim="By the strongest attack, sign is less private than 33% sparsity.",
        threshold="in more than half of the distributions",
        judge=verdicts.ordered("mis", "sign", "ternary:0.33"),
    ),
    Claim(
        id="r_q-stable-early",
        source="paper A, Figure 1",
        claim="The ranking by mean r_Q needs about 15 to 20 models to stay at Spearman 0.95 with that of all.",
        threshold="median over the distributions at most 20; limits are the smallest and the largest",
        paper=20.0,
        judge=verdicts.needed(PAPER),
    ),
    Claim(
        id="baseline-stable-late",
        source="paper A, Figure 7",
        claim="The baseline's ranking needs about 150 models.",
        threshold="at least 100 of the sizes tried",
        paper=150.0,
        judge=verdicts.baseline_needs,
    ),
    Claim(
        id="closest-rival-early",
        source="paper A, Figure 10",
        claim="The closest rival, where Lambda_kk is largest, is among the best elements.",
        threshold="median place at most 10% of the elements",
        judge=verdicts.closest_is_early,
    ),
    Claim(
        id="discriminator-no-better",
        source="ours",
        claim="On one-layer models the discriminator does no better than the best loss threshold.",
        threshold="mean gain of accuracy at most 0.01",
        judge=verdicts.no_better_than_loss,
    ),
    Claim(
        id="r_q-unresolved",
        source="ours",
        claim="At N = 1,000 the best element is mostly not told from its closest rival (z < 2).",
        threshold="in more than half of (model, quantizer)",
        judge=verdicts.unresolved,
    ),
    Claim(
        id="r_q-resolved-at-large-n",
        source="ours",
        claim="At N = 100,000 it mostly is.",
        threshold="median z at least 2",
        judge=verdicts.resolved_at_large_n,
    ),
    Claim(
        id="count-ranks-as-well",
        source="ours",
        claim="Minus the number of distinct elements ranks the quantizers at least as well as r_Q.",
        threshold="difference of mean Spearman at least 0",
        judge=verdicts.at_least_as(COUNT, PAPER),
    ),
    Claim(
        id="r_q-is-partly-a-count",
        source="ours",
        claim="From equally many elements, drawn at random, r_Q ranks worse.",
        threshold="mean Spearman lower by at least 0.1",
        judge=verdicts.equal_counts,
    ),
    Claim(
        id="fidelity-needs-half",
        source="ours",
        claim="Fidelity reaches Spearman 0.95 with its own ranking in at most half of the models that mean r_Q needs.",
        threshold="in at least 7 of 9 distributions",
        judge=verdicts.half_as_many,
    ),
    Claim(
        id="fidelity-ranks-as-r_q",
        source="ours",
        claim="Fidelity agrees with the strongest attack at least as well as mean r_Q.",
        threshold="difference of mean Spearman at least 0",
        judge=verdicts.at_least_as(PROPOSED, PAPER),
    ),
    Claim(
        id="fidelity-ranks-as-count",
        source="ours",
        claim="Fidelity agrees with the strongest attack at least as well as the number of elements.",
        threshold="difference of mean Spearman at least 0",
        judge=verdicts.at_least_as(PROPOSED, COUNT),
    ),
    Claim(
        id="exact-attack",
        source="theory",
        claim="On problems whose MIS is known exactly, no attack's bound lies below it.",
        threshold="smallest difference at least 0 (1e-9 for rounding)",
        judge=verdicts.no_attack_below,
    ),
    Claim(
        id="exact-certificate",
        source="paper A, Lemma B.1, sharpened",
        claim="There the certificate never exceeds it.",
        threshold="smallest difference at least 0 (1e-9 for rounding)",
        judge=verdicts.certificate_below,
    ),
    Claim(
        id="exact-slope-is-cramer",
        source="paper A, Theorem 3.1",
        claim="The slope of the exact exponent tends to the Cramer rate, not to its second-order version r_Q.",
        threshold="less ln 2 / (2 n), nearer to it at the largest n on every problem where the two differ by 2%",
        judge=verdicts.slope_is_cramer,
    ),
    Claim(
        id="exact-r_q-misleads",
        source="ours",
        claim="There are parameter sets on the same data of which r_Q calls the more leaking one more private.",
        threshold="at more than half of the n tried",
        judge=verdicts.r_q_misleads,
    ),
    Claim(
        id="exact-quantizers-r_q",
        source="ours",
        claim="Where quantized training is exactly enumerable, r_Q ranks quantizers as exact privacy does.",
        threshold="mean Spearman at least 0.86, the paper's, at n = 100",
        paper=0.86,
        judge=verdicts.quantized_exactly("r_q", 0.86),
    ),
    Claim(
        id="exact-quantizers-count",
        source="ours",
        claim="There the number of elements does.",
        threshold="mean Spearman at least 0.86 at n = 100",
        judge=verdicts.quantized_exactly("fewer elements", 0.86),
    ),
)


def judge(study: Synthetic, tables: Tables, findings: Findings) -> list[dict[str, Any]]:
    """All claims with their verdicts, for `claims.json`."""
    return [claim.judged(study, tables, findings) for claim in CLAIMS]
