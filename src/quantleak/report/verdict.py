"""Words for a recommendation: what to ship, how large the risk is, for whom, and how sure all of that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quantleak.report import digits, words
from quantleak.report.names import ORIGINAL, full, in_words, listed
from quantleak.results import Estimate, Exposure, Utility, WorstClass

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What risk and utility are in an audit.

    Attributes:
        metric: Name of the utility.
        fpr: The rate at which leakage is a TPR; None if it is an AUC.
        utility_loss: How much utility may be lost.
        level: Of the intervals.
        risk_limit: How far above guessing the leakage may lie.
    """

    metric: str
    fpr: float | None
    utility_loss: float
    level: float
    risk_limit: float

    @property
    def chance(self) -> float:
        """What guessing achieves."""
        return 0.5 if self.fpr is None else self.fpr

    @property
    def form(self) -> digits.Format:
        """How a leakage is written."""
        return digits.score if self.fpr is None else digits.percent

    def shown(self, figure: Estimate) -> str:
        """A figure with its interval."""
        return f"{digits.text(figure.value, self.form)} {digits.limits(figure, self.form)}".strip()

    def achieved(self, figure: Estimate) -> str:
        """What the strongest attack achieves."""
        if self.fpr is None:
            return f"The strongest attack has an AUC of {self.shown(figure)}"
        return (
            f"The strongest attack finds {self.shown(figure)} of the training examples (members) at "
            f"{digits.rate(self.fpr)} false alarms"
        )

    def risk(self, figure: Estimate, original: Estimate) -> str:
        """The absolute risk, beside guessing, the limit and the original."""
        if self.fpr is None:
            compared = f"guessing has {self.form(0.5)}, the risk limit is {self.form(0.5 + self.risk_limit)}"
            return f"{self.achieved(figure)}; {compared}. The original has {self.shown(original)}."
        limit = digits.rate(round(self.fpr + self.risk_limit, 6))
        compared = f"guessing finds {digits.rate(self.fpr)}, the risk limit is {limit}"
        return f"{self.achieved(figure)}; {compared}. In the original it finds {self.shown(original)}."

    def excess_limit(self) -> str:
        """The limit as an amount."""
        return f"{100 * self.risk_limit:g} points" if self.fpr is not None else f"{self.risk_limit:g} of AUC"

    def kept(self, own: float, original: float) -> str:
        """What is left of the utility."""
        return f"The quantizer's {self.metric} is {digits.score(own)}; the original's is {digits.score(original)}."

    def too_dear(self, specs: Sequence[str]) -> str:
        """Why quantizers that leak less were passed over."""
        has, loses = ("has a lower figure", "loses") if len(specs) == 1 else ("have lower figures", "lose")
        phrase = listed([in_words(spec) for spec in specs])
        return f"{_opened(phrase)} {has}, but {loses} more than {self.utility_loss:g} of {self.metric}."

    def less(self, gap: Estimate) -> str:
        """A negative difference of leakage as an amount, with its interval."""
        scale, places, unit = (1, 3, " of AUC") if self.fpr is None else (100, 1, " points")
        low, high = (-scale * (end or 0.0) for end in (gap.high, gap.low))
        return f"{low:.{places}f} to {high:.{places}f}{unit}"


def headline(chosen: str, versus: dict[str, Estimate], metric: str = "") -> str:
    """What to ship, with what else comes in question; a metric where some quantizers do not keep enough of it.

    Example:
        >>> less, alike = Estimate(value=-0.2, low=-0.3, high=-0.1), Estimate(value=-0.1, low=-0.3, high=0.1)
        >>> headline("sign", {"identity": less, "uniform:2": less})
        'Ship 1 bit (sign).'
        >>> headline("sign", {"identity": less, "uniform:2": alike})
        'Ship 1 bit (sign). 2 bits may leak as little.'
        >>> headline("sign", {"identity": alike})
        'No measurable gain: even the least leaking quantizer, 1 bit (sign), may leak as much as the original.'
    """
    alike = _unsettled(versus)
    if ORIGINAL in alike:
        return f"No measurable gain: even {_least_leaking(metric)}, {full(chosen)}, may leak as much as the original."
    if not alike:
        return f"Ship {full(chosen)}."
    others = f"{_count(alike)} other quantizers" if len(alike) > 2 else listed([in_words(spec) for spec in alike])
    return f"Ship {full(chosen)}. {_opened(others)} may leak as little."


def too_risky(chosen: str, metric: str = "", of_class: str | None = None) -> str:
    """The headline where even the least leaking quantizer, of those that keep enough of a metric, is above a limit.

    A class is named where it alone is above.
    """
    about = "" if of_class is None else f" about class '{of_class}'"
    return f"Ship none of these: even {_least_leaking(metric)}, {full(chosen)}, gives away too much{about}."


def _least_leaking(metric: str) -> str:
    return f"the least leaking quantizer that keeps enough {metric}" if metric else "the least leaking quantizer"


def above_limit(figure: Estimate, worst: WorstClass | None, measures: Measures) -> list[str]:
    """Which figures are above the risk limit, or cannot be held against it; empty if all lie below.

    Held against the limit is the upper limit of each interval.
    """
    limit, amount = measures.risk_limit, measures.excess_limit()
    sentences = []
    if figure.high is None:
        sentences.append(f"The risk has no upper limit: {figure.reason or 'no interval'}.")
    elif figure.high - measures.chance > limit:
        sentences.append(f"The upper end of the quantizer's interval lies more than {amount} above guessing.")
    if worst is not None and worst.high is not None and worst.high > limit:
        sentences.append(
            f"In class '{worst.name}' the attack may find {100 * worst.high:.1f} points more of the members than of "
            f"the non-members; the risk limit allows {100 * limit:g} points."
        )
    return sentences


def of_class(worst: WorstClass, confidence: str) -> str:
    """What the attack finds in the class where it finds most."""
    found, alarms = (
        f"{digits.text(part.value, digits.percent)} {digits.limits(part, digits.percent)}".strip()
        for part in (worst.found, worst.alarms)
    )
    excess = f"{digits.text(worst.value, digits.points)} {digits.limits(worst, digits.points)}".strip()
    return (
        f"Most is found of class '{worst.name}': {found} of its members, at {alarms} false alarms within the class; "
        f"the difference is {excess.replace(' pp', ' points')} ({confidence} intervals)."
    )


def of_records(exposure: Exposure) -> str:
    """How many training examples are exposed."""
    if exposure.reason:
        return f"Single examples were not tested: {exposure.reason}."
    if not exposure.listed:
        return f"For no single one of {digits.count(exposure.tested)} examples is it certain that it is exposed."
    persons, mostly = (_of_groups(count) for count in (exposure.groups, exposure.groups_mostly))
    are = "is" if exposure.listed == 1 else "are"
    if exposure.mostly == exposure.listed:
        found = "it is found" if exposure.listed == 1 else "all of them are found"
    else:
        number = digits.count(exposure.mostly) if exposure.mostly else "none"
        found = f"{number}{mostly} of them {'is' if exposure.mostly == 1 else 'are'} found"
    return (
        f"{digits.count(exposure.listed)} of {digits.count(exposure.tested)} examples{persons} {are} exposed beyond "
        f"chance; {found} in more than half of the models that were trained on them."
    )


def _of_groups(count: int | None) -> str:
    """How many groups, such as patients, that is; empty where the data have none."""
    return "" if count is None else f" (of {digits.count(count)} group{'' if count == 1 else 's'})"


def no_better(utility: Utility) -> str:
    """That a utility is no better than guessing."""
    guess = {"accuracy": "always naming the largest class", "r2": "predicting the mean"}.get(utility.metric, "guessing")
    shown = f"{digits.score(float(utility))} {digits.limits(utility, digits.score)}".strip()
    chance = digits.score(float("nan") if utility.chance is None else utility.chance)
    return f"{words.metric(utility.metric)} is {shown}; {guess} has {chance}."


def nothing_to_choose(original: Estimate, measures: Measures) -> tuple[str, str, str]:
    """Headline, reason and certainty where even the original does not leak measurably."""
    guessing = f"has {measures.form(0.5)}" if measures.fpr is None else f"finds {digits.rate(measures.chance)}"
    return (
        "Nothing to choose by: the original itself cannot be distinguished from guessing.",
        f"{measures.achieved(original)}, in the original; guessing {guessing}.",
        "That these attacks find nothing is no proof that there is nothing to find: more models, more examples or "
        "longer training may show a leak.",
    )


def sure(versus: dict[str, Estimate], measures: Measures) -> str:
    """How sure a recommendation is: against the original, then against all others that keep the utility."""
    others = {spec: gap for spec, gap in versus.items() if spec != ORIGINAL}
    return f"{_against_original(versus[ORIGINAL], measures)} {_against_others(others, measures)}"


def _against_original(gap: Estimate, measures: Measures) -> str:
    if _is_less(gap):
        amount = f"{measures.less(gap)} ({digits.rate(measures.level)} interval)"
        return f"It leaks less than the original, by {amount}."
    if gap.value is None:
        return "It is not known to leak less than the original: one of the two has no figure."
    if gap.low is not None and gap.low > 0:
        return "It is not known to leak less than the original: on the models that report it leaked more."
    return "It is not known to leak less than the original: the difference may be chance."


def _against_others(others: dict[str, Estimate], measures: Measures) -> str:
    kept = f"that keep enough {measures.metric}"
    if not others:
        return f"There are no other quantizers {kept}."
    more = [in_words(spec) for spec, gap in others.items() if gap.low is not None and gap.low > 0]
    alike = [in_words(spec) for spec in _unsettled(others) if in_words(spec) not in more]
    if not more and not alike:
        closest = max(others, key=lambda spec: others[spec].high or 0.0)
        return (
            f"It leaks least of all {kept}; than the next, {in_words(closest)}, {measures.less(others[closest])} less."
        )
    sentences = []
    if alike:
        all_of_them = f"all {_count(alike)} others {kept}" if len(alike) == len(others) > 3 else listed(alike)
        sentences.append(f"It cannot be distinguished from {all_of_them}.")
    if more:
        sentences.append(f"On the models that report, {listed(more)} leaked less.")
    return " ".join(sentences)


def _unsettled(versus: dict[str, Estimate]) -> list[str]:
    """Those that the chosen one does not leak measurably less than."""
    return [spec for spec, gap in versus.items() if not _is_less(gap)]


def _is_less(gap: Estimate) -> bool:
    return gap.high is not None and gap.high < 0


def _opened(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _count(items: Sequence[str]) -> str:
    return NUMBERS[len(items)] if len(items) < len(NUMBERS) else str(len(items))
