"""Numbers as text, with the digits that they deserve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

MISSING = "-"


@runtime_checkable
class Format(Protocol):
    """Writes a value with its unit; `like` is the value that decides how many digits, itself by default."""

    def __call__(self, value: float, like: float | None = None) -> str:
        """The value as text."""


@runtime_checkable
class Interval(Protocol):
    """Anything with a value and limits, such as an audit's `Estimate`."""

    @property
    def value(self) -> float | None:
        """The value; None where there is none."""

    @property
    def low(self) -> float | None:
        """Lower limit; None where there is no interval."""

    @property
    def high(self) -> float | None:
        """Upper limit; None where there is no interval."""


def score(value: float, like: float | None = None) -> str:
    """A metric: three decimals, fewer where it is far beyond the usual range.

    Example:
        >>> score(0.85), score(-15.7771), score(-1480.2), score(-105093690417.0)
        ('0.850', '-15.8', '-1,480', '-1.05e+11')
    """
    size = abs(value if like is None else like)
    if size >= 1e6:
        return f"{value:.3g}"
    return f"{value:,.{3 if size < 10 else 1 if size < 1000 else 0}f}"


def percent(value: float, like: float | None = None) -> str:
    """A share in per cent, two decimals below ten per cent and one above.

    Example:
        >>> percent(0.0123), percent(0.5)
        ('1.23%', '50.0%')
    """
    return f"{100 * value:.{2 if abs(value if like is None else like) < 0.09995 else 1}f}%"


def points(value: float, like: float | None = None) -> str:
    """A difference of two shares in percentage points.

    Example:
        >>> points(-0.0123)
        '-1.23 pp'
    """
    return f"{_unsigned_zero(f'{100 * value:+.2f}')} pp"


def signed(value: float, like: float | None = None) -> str:
    """A difference of two metrics, always with a sign.

    Example:
        >>> signed(0.02), signed(-0.0001)
        ('+0.020', '0.000')
    """
    return _unsigned_zero(("+" if value >= 0 else "") + score(value, like))


def bits(value: float, like: float | None = None) -> str:
    """Bits per parameter, two decimals.

    Example:
        >>> bits(1.585)
        '1.58'
    """
    return f"{value:.2f}"


def resolution(value: float, like: float | None = None) -> str:
    """A number of standard errors, one decimal.

    Example:
        >>> resolution(2.04)
        '2.0'
    """
    return f"{value:.1f}"


def significant(value: float, like: float | None = None) -> str:
    """Three significant digits.

    Example:
        >>> significant(0.012), significant(123.0), significant(0.0)
        ('0.0120', '123', '0')
    """
    return f"{value:#.3g}".removesuffix(".") if value else "0"


def rate(value: float) -> str:
    """A rate given as a share, such as the false-positive rate of a header.

    Example:
        >>> rate(0.001), rate(0.01), rate(0.1)
        ('0.1%', '1%', '10%')
    """
    return f"{100 * value:g}%"


def rank(value: float, like: float | None = None) -> str:
    """A rank, or the mean of ranks that tie.

    Example:
        >>> rank(3.0), rank(2.5)
        ('3', '2.5')
    """
    return f"{value:.3g}"


def count(value: float | int, like: float | None = None) -> str:
    """A count, or half of one where a median falls between two.

    Example:
        >>> count(1150.0), count(57.5)
        ('1,150', '57.5')
    """
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def whole_percent(value: float, like: float | None = None) -> str:
    """A share of few models in whole per cent.

    Example:
        >>> whole_percent(0.875)
        '88%'
    """
    return f"{100 * value:.0f}%"


def number(value: float | int, like: float | None = None) -> str:
    """A number that names something, such as a row: no thousands separators.

    Example:
        >>> number(5011)
        '5011'
    """
    return f"{value:.0f}"


def text(value: float | int | None, form: Format) -> str:
    """The value in its format, or the sign for a missing one."""
    return MISSING if value is None else form(value)


def limits(number: Interval, form: Format) -> str:
    """`[low, high]`, or an empty string where there is no interval; the unit is left to the value.

    Example:
        >>> from types import SimpleNamespace
        >>> limits(SimpleNamespace(value=0.02, low=0.01, high=0.15), percent)
        '[1.00, 15.00]'
    """
    if number.value is None or number.low is None or number.high is None:
        return ""
    # The limits carry as many decimals as the value, or they could not be compared with it.
    ends = (form(end, number.value).removesuffix("%").removesuffix(" pp") for end in (number.low, number.high))
    return f"[{', '.join(ends)}]"


def typeset(number: str) -> str:
    """A number as it is printed on a page: a true minus, powers of ten, a dash for what is missing.

    Example:
        >>> typeset("[-1.00e-05, 0.2]"), typeset("-")
        ('[−1.00·10⁻⁵, 0.2]', '–')
    """
    if number == MISSING:
        return "–"
    raised = re.sub(r"e([+-])0*(\d+)", lambda power: f"·10{_raise(*power.groups())}", number)
    return raised.replace("-", "−")


def _raise(sign: str, digits: str) -> str:
    return ("⁻" if sign == "-" else "") + digits.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _unsigned_zero(number: str) -> str:
    """A difference that rounds to nothing has no direction."""
    return number if number.strip("+-0.") else number.lstrip("+-")


LONGEST_LIST = 20


def plain(value: Any) -> str:
    """A recorded value as text; of a long list the first items and how many there are.

    Example:
        >>> plain(None), plain(True), plain([]), plain(["a", 1]), plain(1e-3)
        ('–', 'yes', 'none', 'a, 1', '0.001')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(plain(item) for item in value[:LONGEST_LIST])
        return f"{shown}, … ({count(len(value))} in all)" if len(value) > LONGEST_LIST else shown or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={plain(item)}" for key, item in value.items())
    return str(value)
