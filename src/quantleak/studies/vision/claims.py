"""What is claimed, by the paper and by us, with thresholds that were written before the run."""

from __future__ import annotations

from quantleak.studies.common import Claim
from quantleak.studies.vision import verdicts
from quantleak.studies.vision.findings import NOISE_CONTROL, STOPPED_CONTROL, Findings
from quantleak.studies.vision.jobs import ADAPTIVE, TERNARY, TRANSFER

PAPER = "paper B"
OURS = "ours"
ATTACKERS = {TRANSFER: "With float shadows, as in the paper", ADAPTIVE: "With shadows quantized like the target"}
"""Every one of them is an attack by online LiRA."""


def _of_each_attacker(mode: str, words: str) -> tuple[Claim[Findings], ...]:
    """The paper's claims about leakage; `words` opens each."""
    return (
        Claim(
            id=f"four-bits-keep-leakage-{mode}",
            source=PAPER,
            claim=f"{words}, 4 bits keep the leakage.",
            threshold="the smallest of the three methods' shares of the original's TPR at 1% FPR is at least 0.9",
            judge=verdicts.four_bits_leakage(mode, 0.9),
        ),
        Claim(
            id=f"low-bits-trade-{mode}",
            source=PAPER,
            claim=f"{words}, 2 bits and ternary trade accuracy for privacy.",
            threshold="accuracy and TPR at 1% FPR both lower than the original's beyond their intervals, for all three "
            "methods at both widths (share 1)",
            judge=verdicts.trade(mode),
        ),
        Claim(
            id=f"order-of-magnitude-{mode}",
            source=PAPER,
            claim=f"{words}, 2 bits and ternary are up to an order of magnitude less vulnerable.",
            threshold="the largest ratio of the original's TPR at 0.1% FPR to the quantized one's is at least 10",
            paper=10.0,
            judge=verdicts.magnitude(mode, 10.0),
        ),
        Claim(
            id=f"order-of-magnitude-useful-{mode}",
            source=OURS,
            claim=f"{words}, an order of magnitude is reached at a loss of at most 0.05 of accuracy.",
            threshold="the largest such ratio among networks that lose at most 0.05 of accuracy is at least 10",
            judge=verdicts.magnitude(mode, 10.0, keeping=0.05),
        ),
        Claim(
            id=f"head-tunes-{mode}",
            source=PAPER,
            claim=f"{words}, the precision of the last layer tunes the trade-off at 1.58 bits.",
            threshold="with a float head both accuracy and TPR at 1% FPR are higher than with a ternary one beyond "
            "their intervals, for all three methods; shown is the smallest difference of TPR",
            judge=verdicts.head_tunes(mode),
        ),
        Claim(
            id=f"brecq-lowest-{mode}",
            source=PAPER,
            claim=f"{words}, BRECQ has the lowest TPR at 1% FPR.",
            threshold="BRECQ's mean is below both others at both widths; shown is BRECQ less the lower of the two, at "
            "the worse width",
            judge=verdicts.brecq_lowest(mode),
        ),
        Claim(
            id=f"brecq-varies-most-{mode}",
            source=PAPER,
            claim=f"{words}, BRECQ varies most between targets.",
            threshold="BRECQ's standard deviation over targets is the largest at both widths; shown is BRECQ's divided "
            "by the larger of the others, at the worse width",
            judge=verdicts.brecq_varies_most(mode),
        ),
    )


CLAIMS: tuple[Claim[Findings], ...] = (
    Claim(
        id="four-bits-keep-accuracy",
        source=PAPER,
        claim="4 bits keep the accuracy.",
        threshold="the largest loss of the three methods is at most 0.01",
        judge=verdicts.four_bits_accuracy(0.01),
    ),
    *_of_each_attacker(TRANSFER, ATTACKERS[TRANSFER]),
    *_of_each_attacker(ADAPTIVE, ATTACKERS[ADAPTIVE]),
    Claim(
        id="quantizing-finds-more",
        source=OURS,
        claim="Quantized shadows find more members at 2 bits and ternary than float shadows.",
        threshold="difference of TPR at 1% FPR above 0 beyond its interval for all three methods at both widths; shown "
        "is the smallest",
        judge=verdicts.quantizing_finds_more,
    ),
    *(
        Claim(
            id=f"mismatch-{width}",
            source=OURS,
            claim=f"At least half of the privacy that float shadows see gained at {name} is mismatch.",
            threshold="(adaptive - transfer) / (original - transfer) in TPR at 1% FPR, of the means over the three "
            "methods, is at least 0.5; not judged where the drop is not certain",
            judge=verdicts.mismatch(width, 0.5),
        )
        for width, name in (("2", "2 bits"), (TERNARY, "1.58 bits"))
    ),
    Claim(
        id="less-than-noise",
        source=OURS,
        claim="Quantization leaks less than noise on the weights at equal accuracy.",
        threshold="difference of TPR at 1% FPR below 0 beyond its interval in at least two thirds of methods and low "
        "widths",
        judge=verdicts.leaks_less_than(NOISE_CONTROL, 2 / 3),
    ),
    Claim(
        id="less-than-stopped-early",
        source=OURS,
        claim="Quantization leaks less than a float network stopped early at equal accuracy.",
        threshold="difference of TPR at 1% FPR below 0 beyond its interval in at least two thirds of methods and low "
        "widths",
        judge=verdicts.leaks_less_than(STOPPED_CONTROL, 2 / 3),
    ),
    Claim(
        id="head-alone-hides",
        source="ours; the reference's record, AUC .946 to about .78, is a share of .37",
        claim="Making the head alone ternary hides most of the signal from float shadows.",
        threshold="at least half of the AUC above 0.5 is lost",
        judge=verdicts.head_alone(TRANSFER, 0.5, hidden=True),
    ),
    Claim(
        id="head-alone-does-not-hide",
        source=OURS,
        claim="Making the head alone ternary hides next to nothing from quantized shadows.",
        threshold="at least nine tenths of the AUC above 0.5 are left",
        judge=verdicts.head_alone(ADAPTIVE, 0.9, hidden=False),
    ),
    Claim(
        id="more-accurate-than-smaller",
        source=OURS,
        claim="Ternary networks are more accurate than a float network of about the same size on disk.",
        threshold="beyond the interval for all three methods; shown is the smallest difference",
        judge=verdicts.more_accurate_than_smaller,
    ),
    Claim(
        id="leak-more-than-smaller",
        source=OURS,
        claim="Ternary networks leak more than a float network of about the same size on disk.",
        threshold="TPR at 1% FPR higher beyond the interval for at least two of the three methods; shown is the median "
        "difference",
        judge=verdicts.leaks_more_than_smaller,
    ),
    Claim(
        id="r_q-ranks",
        source="paper A's claim on the networks of paper B",
        claim="r_Q ranks round-to-nearest at different precisions as the strongest attack does.",
        threshold="Spearman at least 0.81, the threshold of the synthetic study",
        paper=0.86,
        judge=verdicts.ranks("r_q", 0.81),
    ),
    Claim(
        id="cramer-ranks-as-r_q",
        source=OURS,
        claim="The Cramer rate ranks them at least as well as r_Q.",
        threshold="difference of Spearman at least 0",
        judge=verdicts.ranks_as_well("cramer", "r_q"),
    ),
    Claim(
        id="fidelity-ranks-as-r_q",
        source=OURS,
        claim="Fidelity ranks them at least as well as r_Q.",
        threshold="difference of Spearman at least 0",
        judge=verdicts.ranks_as_well("fidelity", "r_q"),
    ),
    Claim(
        id="count-ranks-as-r_q",
        source=OURS,
        claim="The number of distinct quantized models ranks them at least as well as r_Q.",
        threshold="difference of Spearman at least 0; not judged where all numbers are equal",
        judge=verdicts.ranks_as_well("elements", "r_q"),
    ),
    Claim(
        id="true-negatives-rank",
        source="arXiv 2510.19773",
        claim="The true negative rate of LOSS at a TPR of 0.99 ranks them as the strongest attack does.",
        threshold="Spearman at least 0.81",
        judge=verdicts.ranks("true_negatives", 0.81),
    ),
    Claim(
        id="toy-float-shadows-fail",
        source="theory",
        claim="Where quantization only maps the scores, shadows that are not mapped lose most of the signal.",
        threshold="AUC of online LiRA at most 0.62 (0.75 without a map)",
        judge=verdicts.toy_loses(0.62),
    ),
    Claim(
        id="toy-restored",
        source="theory",
        claim="Mapping the shadows, or inverting the map on known non-members, restores it.",
        threshold="each AUC at least 0.73",
        judge=verdicts.toy_restored(0.73),
    ),
)
