"""A recommendation in words: what to ship, why, and how sure that is, for a reader who knows nothing of attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quantleak.report import digits
from quantleak.report.names import ORIGINAL, full, in_words, listed
from quantleak.results import Estimate

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What leakage and utility are in an audit.

    Attributes:
        metric: Name of the utility.
        fpr: The rate at which leakage is a TPR; None if it is an AUC.
        utility_loss: How much utility may be lost.
        level: Of the intervals.
    """

    metric: str
    fpr: float | None
    utility_loss: float
    level: float

    def leakage(self, own: float, original: float) -> str:
        """What the strongest attack achieves against a quantizer and against the original."""
        if self.fpr is None:
            return f"The strongest attack has AUC {own:.3f} instead of the original's {original:.3f} (0.5: guessing)"
        return (
            f"The strongest attack finds {own:.1%} of the members (training examples) instead of the original's "
            f"{original:.1%}, at {100 * self.fpr:g}% false alarms"
        )

    @property
    def chance(self) -> float:
        """What guessing achieves."""
        return 0.5 if self.fpr is None else self.fpr

    def is_guessing(self, figure: Estimate) -> bool:
        """Whether the interval of an attack's figure holds what guessing achieves, or lies below it."""
        return figure.low is not None and figure.low <= self.chance

    def nothing_to_choose(self, original: Estimate) -> tuple[str, str, str]:
        """Headline, reason and certainty where even the original does not leak measurably."""
        form = digits.score if self.fpr is None else digits.percent
        shown = f"{digits.text(original.value, form)} {digits.limits(original, form)}".strip()
        did = "has AUC" if self.fpr is None else "finds"
        what = "" if self.fpr is None else f" of the members at {100 * self.fpr:g}% false alarms"
        return (
            "Nothing to choose by: the original itself cannot be distinguished from guessing.",
            f"The strongest attack on the original {did} {shown}{what}; guessing {did.split()[0]} "
            f"{form(self.chance)}{'' if self.fpr is None else ' of them'}.",
            "That these attacks find nothing is no proof that there is nothing to find: more models, more examples or "
            "longer training may show a leak.",
        )

    def kept(self, own: float, original: float) -> str:
        """What is left of the utility."""
        return f"{self.metric} is {own:.3f} instead of {original:.3f}"

    def too_dear(self, specs: Sequence[str]) -> str:
        """Why quantizers that leak less were passed over."""
        leak, cost = ("leaks", "costs") if len(specs) == 1 else ("leak", "cost")
        phrase = listed([in_words(spec) for spec in specs])
        return f"{phrase} {leak} less, but {cost} more {self.metric} than the {self.utility_loss:g} that may be lost"

    def less(self, gap: Estimate) -> str:
        """A negative difference of leakage as an amount, with its interval."""
        scale, digits, unit = (1, 3, " of AUC") if self.fpr is None else (100, 1, " points")
        low, high = (-scale * (end or 0.0) for end in (gap.high, gap.low))
        return f"{low:.{digits}f} to {high:.{digits}f}{unit}"


def headline(chosen: str, versus: dict[str, Estimate]) -> str:
    """What to ship, with what else comes in question.

    Example:
        >>> less, alike = Estimate(value=-0.2, low=-0.3, high=-0.1), Estimate(value=-0.1, low=-0.3, high=0.1)
        >>> headline("sign", {"identity": less, "uniform:2": less})
        'Ship 1 bit (sign).'
        >>> headline("sign", {"identity": less, "uniform:2": alike})
        'Ship 1 bit (sign); 2 bits may do as well.'
        >>> headline("sign", {"identity": alike})
        'No measurable gain: even the best candidate, 1 bit (sign), may leak as much as the original.'
    """
    alike = _unsettled(versus)
    if ORIGINAL in alike:
        return f"No measurable gain: even the best candidate, {full(chosen)}, may leak as much as the original."
    if not alike:
        return f"Ship {full(chosen)}."
    others = listed([in_words(spec) for spec in alike]) if len(alike) < 3 else f"{_count(alike)} others"
    return f"Ship {full(chosen)}; {others} may do as well."


def sure(versus: dict[str, Estimate], measures: Measures) -> str:
    """How sure a recommendation is: against the original, then against all others that keep the utility."""
    others = {spec: gap for spec, gap in versus.items() if spec != ORIGINAL}
    return f"{_against_original(versus[ORIGINAL], measures)} {_against_others(others, measures)}"


def _against_original(gap: Estimate, measures: Measures) -> str:
    if _is_less(gap):
        phrase = f"by {measures.less(gap)}, at {100 * measures.level:.4g}% confidence"
        return f"Sure that it leaks less than the original: {phrase}."
    if gap.value is None:
        return "Not sure that it leaks less than the original: one of the two has no figure."
    phrase = "it leaked more" if gap.low is not None and gap.low > 0 else "the difference may be chance"
    return f"Not sure that it leaks less than the original: {phrase}."


def _against_others(others: dict[str, Estimate], measures: Measures) -> str:
    if not others:
        return f"No other quantizer keeps enough {measures.metric} to choose from."
    least = f"least of those that keep enough {measures.metric}"
    more = [in_words(spec) for spec, gap in others.items() if gap.low is not None and gap.low > 0]
    alike = [in_words(spec) for spec in _unsettled(others) if in_words(spec) not in more]
    phrase = [_not_distinguished(alike, len(others))] if alike else []
    phrase += [f"{listed(more)} leaked less on the models that did not choose"] if more else []
    if phrase:
        return f"Not sure that it leaks {least}: {'; '.join(phrase)}."
    closest = max(others, key=lambda spec: others[spec].high or 0.0)
    return f"Sure that it leaks {least}: {measures.less(others[closest])} less than the next, {in_words(closest)}."


def _not_distinguished(alike: Sequence[str], others: int) -> str:
    if len(alike) == others > 3:
        return f"none of the {_count(alike)} others can be distinguished from it"
    return f"{listed(alike)} cannot be distinguished from it"


def _unsettled(versus: dict[str, Estimate]) -> list[str]:
    """Those that the chosen one does not leak measurably less than."""
    return [spec for spec, gap in versus.items() if not _is_less(gap)]


def _is_less(gap: Estimate) -> bool:
    return gap.high is not None and gap.high < 0


def _count(items: Sequence[str]) -> str:
    return NUMBERS[len(items)] if len(items) < len(NUMBERS) else str(len(items))
