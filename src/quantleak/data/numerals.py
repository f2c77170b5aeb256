"""Numbers written as text: in which convention, or why they cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantleak.data.checks import list_rows
from quantleak.errors import InputError

MOSTLY = 0.8
"""A text column is taken for numbers if this share of its cells that are not missing looks like one."""
DOZENS = 20
"""It is too where half of the cells do, and so many of them differ."""

CATEGORIES = (
    "If it holds categories, put a letter before each; or leave the column out by naming those to use (--columns)."
)
NOT_A_CLASS = frozenset(
    {"", "?", "??", "na", "n/a", "n.a.", "<na>", "#n/a", "#na", "#n/a n/a", "nan", "-nan", "null", "-1.#ind", "1.#ind"}
    | {"-1.#qnan", "1.#qnan", "#value!", "#ref!", "#div/0!", "#num!", "#name?", "#null!"}
)
"""Texts that stand for a missing cell and hardly ever for a class; in lower case, without space around them."""
MISSING = NOT_A_CLASS | {"-", "--", "---", "–", "—", ".", "..", "*", "#", "nil", "none", "missing", "unknown"}
"""Texts that stand for a missing cell in a column of numbers; some are names of classes elsewhere."""

_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_POINT = re.compile(rf"[+-]?(?:[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}")
_COMMA = re.compile(rf"[+-]?(?:[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+(?:,[0-9]*)?|[0-9]+,?[0-9]*|,[0-9]+){_EXPONENT}")
# Also bounds, percentages, money, digits of other scripts, and thousands set apart by spaces or apostrophes.
_LOOSE = re.compile(
    r"[<>≤≥~≈]?=?\s*[$€£¥]?\s*[+\-−–]?\s*"
    r"(?:inf|infinity|(?:\d+|\d{1,3}(?:[.,\s'’_]\d{3})+)(?:[.,]\d*)?(?:e[+-]?\d+)?|[.,]\d+(?:e[+-]?\d+)?)\s*[%‰$€£¥]?",
    re.IGNORECASE,
)
_CODE = re.compile(r"[+-]?0[0-9]+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Numerals:
    """The numbers in a column of texts.

    Args:
        values: float64 `[N]`.
        style: How they are written, as words; for the provenance.
        decimal_comma: Whether some of them have one.
    """

    values: npt.NDArray[np.float64]
    style: str
    decimal_comma: bool


def read_numerals(
    column: str,
    values: tuple[str, ...],
    codes: npt.NDArray[np.int64],
    otherwise: str = CATEGORIES,
    mostly: float = MOSTLY,
) -> Numerals | None:
    """The numbers in a column of texts, or None if these are no numbers.

    Two conventions are tried: a decimal point with commas between thousands, and the reverse. Numbers are read if
    exactly one fits every cell, or both give the same numbers; nothing is guessed.

    Args:
        column: What to call the column in messages, such as `"Column 'x'"`.
        values: The distinct texts.
        codes: `[N]`, the index into `values` for each row.
        otherwise: What to do if these are meant as texts, as the last sentence of a message.
        mostly: The share of cells from which on they are taken for numbers.

    Raises:
        InputError: If these are numbers, but some cells are missing, are no numbers, or can be read in two ways.

    Example:
        >>> read_numerals("Column 'x'", ("3,14", "2"), np.array([0, 1])).values
        array([3.14, 2.  ])
    """
    texts = [value.strip() for value in values]
    missing = np.array([is_missing(text) for text in texts], bool)
    loose = np.array([_LOOSE.fullmatch(text) is not None for text in texts], bool) & ~missing
    present = ~missing[codes]
    share = loose[codes][present].mean() if present.any() else 0.0
    if share < mostly and not (share >= 0.5 and loose.sum() > DOZENS):
        return None
    as_point = np.array([_point(text) for text in texts])
    as_comma = np.array([_comma(text) for text in texts])
    point, comma = (not np.isnan(read[~missing]).any() for read in (as_point, as_comma))
    odd = ~missing & np.isnan(as_point) & np.isnan(as_comma)
    if odd[codes].any():
        raise InputError(
            f"{column} holds numbers, except for such as {_first(texts, odd, codes)!r} in {list_rows(odd[codes])}. "
            f"Write plain numbers there or remove these rows. {otherwise}"
        )
    differ = ~missing & (as_point != as_comma)
    # Without any comma a point is what every reader of files takes it for.
    two_ways = point and comma and differ.any() and any("," in text for text in texts)
    if two_ways or not (point or comma):
        raise InputError(
            f"{column} holds numbers whose commas and points can be read in two ways, such as "
            f"{_first(texts, differ, codes)!r} in {list_rows(differ[codes])}: is it a decimal comma or a separator of "
            f"thousands? Write all numbers with a decimal point and without separators. {otherwise}"
        )
    if not present.all():
        raise InputError(
            f"{column} holds numbers, except for such as {_first(texts, missing, codes)!r} in {list_rows(~present)}, "
            f"where one is missing. Remove these rows or fill in the values, then try again. {otherwise}"
        )
    numbers = as_point if point else as_comma
    return Numerals(values=numbers[codes], style=_style(texts, point=point), decimal_comma=not point)


def is_code(values: tuple[str, ...]) -> bool:
    """Whether plain digits begin with a zero, as postal codes do and numbers do not."""
    return any(_CODE.fullmatch(value.strip()) for value in values) and all(
        value.strip().lstrip("+-").isdecimal() for value in values
    )


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing number."""
    return text.strip().casefold() in MISSING


def _point(text: str) -> float:
    return float(text.replace(",", "")) if _POINT.fullmatch(text) else np.nan


def _comma(text: str) -> float:
    return float(text.replace(".", "").replace(",", ".")) if _COMMA.fullmatch(text) else np.nan


def _first(texts: list[str], chosen: npt.NDArray[np.bool_], codes: npt.NDArray[np.int64]) -> str:
    return texts[int(codes[int(chosen[codes].argmax())])][:40]


def _style(texts: list[str], *, point: bool) -> str:
    if not any("," in text for text in texts):
        return "numbers with points between thousands" if not point else "numbers"
    return "numbers with commas between thousands" if point else "numbers with decimal commas"
