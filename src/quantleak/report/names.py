"""Quantizers in words, for readers who have never seen a spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from quantleak.quantizers import BASELINE

if TYPE_CHECKING:
    from quantleak.results import AttackResult, Worst

ORIGINAL = BASELINE
CALIBRATION = "calibration="


def in_words(spec: str) -> str:
    """What a spec does to a weight; the spec itself where there are no better words.

    Example:
        >>> [in_words(spec) for spec in ("identity", "sign", "uniform:5", "ternary:0.9", "uniform:4?axis=0", "own:3")]
        ['original', '1 bit', '5 bits', '90% sparse', '4 bits, axis=0', 'own:3']
        >>> [in_words(spec) for spec in ("obq:3?head=8", "rtn:ternary", "noise:sign")]
        ['3 bits by OBQ, head=8', '1.58 bits by rounding', 'noise like sign']
        >>> in_words("adaround:2?iterations=9&calibration=held-out")
        '2 bits by AdaRound, held-out, iterations=9'
    """
    head, _, options = spec.partition("?")
    name, _, value = head.partition(":")
    words = _WORDS.get(name, lambda _: None)(value)
    if words is None:
        return spec
    # Whose examples calibrate comes first: it tells quantizers apart that are the same otherwise.
    others = sorted(filter(None, options.split("&")), key=lambda option: not option.startswith(CALIBRATION))
    return ", ".join([words, *(option.removeprefix(CALIBRATION) for option in others)])


def full(spec: str) -> str:
    """The words with the spec beside them, as in a sentence.

    Example:
        >>> full("sign"), full("identity"), full("own:3")
        ('1 bit (sign)', 'the original', 'own:3')
    """
    if spec == ORIGINAL:
        return "the original"
    words = in_words(spec)
    return words if words == spec else f"{words} ({spec})"


def spec_of(name: str, specs: Iterable[str]) -> str | None:
    """The spec that a reader means by the words of the report; None if it is none of these.

    Example:
        >>> spec_of("1 bit", ["identity", "sign"]), spec_of("the original", ["identity"]), spec_of("sign", ["own:3"])
        ('sign', 'identity', None)
    """
    wanted = " ".join(name.lower().split())
    return next((spec for spec in specs if wanted in (spec.lower(), in_words(spec).lower(), full(spec).lower())), None)


def listed(items: Sequence[str]) -> str:
    """Items as an English list.

    Example:
        >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
        ('a', 'a and b', 'a, b and c')
    """
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def _bits(value: str) -> str | None:
    if not value.isdecimal():
        return None
    return "1 bit, uniform" if int(value) == 1 else f"{int(value)} bits"


def _rounded(value: str, rule: str) -> str | None:
    if value == "ternary":
        return f"1.58 bits by {rule}"
    return None if not value.isdecimal() else f"{int(value)} {'bit' if int(value) == 1 else 'bits'} by {rule}"


def _sparse(value: str) -> str | None:
    try:
        return f"{100 * float(value):.4g}% sparse"
    except ValueError:
        return None


_WORDS: dict[str, Callable[[str], str | None]] = {
    ORIGINAL: lambda _: "original",
    "sign": lambda _: "1 bit",
    "uniform": _bits,
    "ternary": _sparse,
    "rtn": lambda value: _rounded(value, "rounding"),
    "obq": lambda value: _rounded(value, "OBQ"),
    "adaround": lambda value: _rounded(value, "AdaRound"),
    "brecq": lambda value: _rounded(value, "BRECQ"),
    "noise": lambda value: f"noise like {value}",
    "codebook": lambda value: f"codebook of {value}" if value.isdecimal() else None,
}


def shadows(attack: AttackResult | Worst) -> str:
    """The shadows of an attack, and what the attacker does with the original first.

    Example:
        >>> from quantleak.results import Estimate, Worst
        >>> none = Estimate(value=None)
        >>> shadows(Worst(value=0.1, name="lira-online", mode="adaptive", fpr=0.01, auc=none, via="sign"))
        'adaptive, quantized first: 1 bit'
    """
    return attack.mode if attack.via is None else f"{attack.mode}, quantized first: {in_words(attack.via)}"
