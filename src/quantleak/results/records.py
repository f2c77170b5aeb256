"""The parts of a result: numbers with intervals, what is known of one quantizer, what is recommended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from quantleak.quantizers import BASELINE
from quantleak.results.controls import CalibrationLeakage, NoiseComparison
from quantleak.results.estimate import Estimate

METRIC_NAMES = {"auroc": "AUROC", "accuracy": "accuracy", "r2": "R2", "spearman": "Spearman"}


@dataclass(frozen=True, kw_only=True)
class Utility(Estimate):
    """How good the quantized models are on the test part: AUROC, accuracy or R2, the mean over models.

    Attributes:
        metric: Its name.
        also: Other metrics by name.
        chance: What guessing has: an AUROC of 0.5, the accuracy of always naming the largest class, or an R2 of 0,
            which predicting the mean has; None where that is not known.
    """

    metric: str
    also: dict[str, Estimate] = field(default_factory=dict)
    chance: float | None = None

    @property
    def is_guessing(self) -> bool:
        """Whether the lower limit (the value, where there is no interval) is no better than guessing."""
        low = self.value if self.low is None else self.low
        return low is not None and self.chance is not None and low <= self.chance


@dataclass(frozen=True, kw_only=True)
class RateSummary(Estimate):
    """A privacy rate, the median over models; larger = more private.

    Attributes:
        mean: Mean over models, the paper's average; heavy-tailed, so that no interval of it holds.
        resolution: Median over models of z; below 2 the best element is not distinguished from its closest competitor.
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
    rank: Estimate | None = None
    more_private_than: dict[str, float] = field(default_factory=dict)
    certificate_start: float | None = None
    certified: int = 0
    certificates: int = 0


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """One attack on all models of one quantizer.

    Its figures are those of the reporting half: the targets that did not choose the strongest attack. Figures of every
    target are in the Parquet table `targets`.

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
    auc: Estimate
    tpr: dict[str, Estimate]
    balanced_accuracy: Estimate
    mis_bound: Estimate
    ppv: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    reason: str | None = None
    via: str | None = None


@dataclass(frozen=True, kw_only=True)
class Worst(Estimate):
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
    auc: Estimate
    via: str | None = None


@dataclass(frozen=True, kw_only=True)
class WorstClass(Estimate):
    """The class of which the strongest attack finds most beyond guessing, chosen on one half of the targets.

    `value` is the excess on the other half: the share of the class's members found less the share of false alarms among
    its non-members, at the one threshold that the attacker has for all classes.

    Attributes:
        name: Of the class.
        fpr: False-positive rate of that threshold over all examples.
        found: Members of the class found.
        alarms: False alarms among its non-members.
    """

    name: str
    fpr: float
    found: Estimate
    alarms: Estimate


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How many training examples the strongest attack gives away beyond chance.

    Attributes:
        tested: Examples that were tested.
        listed: Those exposed beyond chance, at a false discovery rate of 1 less the level of confidence.
        mostly: Those of them that are found in more than half of the models trained on them.
        groups: Groups with a listed example, such as persons; None where examples have no groups of their own.
        groups_mostly: Groups with one that is found in more than half of the models; None likewise.
        models: Targets behind it.
        reason: Why nothing was tested; empty if something was.
    """

    tested: int = 0
    listed: int = 0
    mostly: int = 0
    groups: int | None = None
    groups_mostly: int | None = None
    models: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PerExample(Estimate):
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


NONE = Estimate(value=None, reason="not measured")
NOT_TESTED = Exposure(reason="not tested")


@dataclass(frozen=True, kw_only=True)
class QuantizerResult:
    """Everything about one quantizer.

    Attributes:
        per_example: What an attacker finds whose false-positive rate holds for every example.
        versus_original: Differences to the unquantized models, paired: `utility`, and `worst` leakage.
        fidelity: Correlation of the quantized models' outputs with the original's on the population, mean over models.
        classes: The worst supported class at every supported false-positive rate; empty where no class is supported.
        unjudged: Classes that have too few examples to be judged.
        exposure: How many training examples are exposed beyond chance.
        training: The utility on the models' own training examples; of the original only.
        noise: Comparison with noise on the weights at equal utility; None if no such control was asked for.
        calibration: Leakage of the examples on which it was calibrated; None if it reads none.
        is_control: Whether it is there for comparison only, and never recommended.
    """

    spec: str
    effective_bits: float
    utility: Utility
    rate: RateSummary
    cramer: RateSummary
    attacks: list[AttackResult]
    worst: Worst
    versus_original: dict[str, Estimate]
    per_example: list[PerExample] = field(default_factory=list)
    fidelity: Estimate = NONE
    classes: list[WorstClass] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    exposure: Exposure = NOT_TESTED
    training: Estimate = NONE
    noise: NoiseComparison | None = None
    calibration: CalibrationLeakage | None = None
    is_control: bool = False

    @property
    def worst_class(self) -> WorstClass | None:
        """The worst supported class at the rate of the worst attack's headline."""
        return next((row for row in self.classes if row.fpr == self.worst.fpr), None)

    @property
    def is_baseline(self) -> bool:
        """Whether these are the full-precision models."""
        return self.spec == BASELINE


Outcome = Literal["ship", "too risky", "no gain", "nothing to choose", "useless", "none usable", "none"]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """Which quantizer to ship.

    Attributes:
        quantizer: Its spec; None if there is none to ship.
        least_leaking: The spec of the one that leaks least among those that keep the utility, even where its risk is
            above the limit; None where there is nothing to choose by or none keeps the utility.
        outcome: `ship`; `no gain`: the least leaking may leak as much as the original; `too risky`: above the risk
            limit; `nothing to choose`: the original itself cannot be distinguished from guessing; `useless`: the
            original predicts no better than guessing; `none usable`: each costs too much utility; `none`: no utility.
        reason: How large the risk is and what is left of the utility, in a few sentences.
        whom: Of whom most is found, in a sentence or two.
        clear: Whether it leaks less than the original and every other that keeps the utility, beyond doubt.
        headline: What to ship, in a line.
        sure: How sure that is, in a sentence or two.
        versus: By the spec of each of these others, the original among them: its leakage less theirs, paired.
    """

    quantizer: str | None
    reason: str
    clear: bool
    least_leaking: str | None = None
    outcome: Outcome = "ship"
    headline: str = ""
    whom: str = ""
    sure: str = ""
    versus: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Caution:
    """Something to know before a result is trusted.

    Attributes:
        kind: One word or two, for programs: `data`, `utility`, `underfitted`, `outputs`, `few targets`, `rates`.
        text: A sentence or two, for readers.
    """

    kind: str
    text: str
