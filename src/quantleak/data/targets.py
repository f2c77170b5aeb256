"""The target column: which task it is, and its values as class codes or numbers."""

from __future__ import annotations

import numbers
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from quantleak.arrays import plain
from quantleak.data.checks import list_rows, require_finite
from quantleak.data.numerals import NOT_A_CLASS, Numerals, read_numerals
from quantleak.errors import InputError, nearest

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
MOST_CLASSES = 50
LEAST_PER_CLASS = 10
CODES_RECUR = 3
"""From this mean number of rows for each whole number on, they may be codes of classes, some of them rare."""
CLASSES = "If these are classes, choose --task multiclass (in Python, task='multiclass')."
# Narrower than Python's float(), which takes 1_000, inf, nan and the digits of every script for numbers.
NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """Targets of N examples.

    Args:
        task: The task, requested, or decided by the rule.
        values: `[N]`, int64 class codes in the sorted order of the classes, or float64.
        classes: Class names, None for regression.
        rule: How the task was decided, as a sentence.
        decimal_comma: Whether they were read from texts with decimal commas.
    """

    task: Task
    values: npt.NDArray[Any]
    classes: tuple[str, ...] | None
    rule: str
    decimal_comma: bool = field(default=False, repr=False)

    def take(self, rows: npt.NDArray[np.int64]) -> Targets:
        """The same targets for a choice of rows."""
        return replace(self, values=self.values[rows])


def read_targets(column: npt.ArrayLike, name: str, task: str | None = None) -> Targets:
    """Decide the task and code the targets.

    The rule: what `task` says; else two values are binary; text, or at most 50 integer values each seen at least 10
    times, are multiclass; anything else is regression. Where only rare values keep integers from being classes, the
    task must be given. Text that is numbers throughout counts as numbers. Classes are sorted, numbers by value, so the
    larger of two values is class 1.

    Args:
        column: `[N]` numbers, booleans or texts.
        name: The column's name, for messages.
        task: `"binary"`, `"multiclass"`, `"regression"` or None.

    Raises:
        InputError: If values are missing or infinite, all equal, or do not fit the task.

    Example:
        >>> read_targets(["yes", "no", "yes"], "y")
        Targets(task='binary', values=array([1, 0, 1]), classes=('no', 'yes'), rule='two values: binary')
    """
    values, read = _plain(np.asarray(column), name, task)
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) < 2:
        seen = f"only {distinct[0].item()!r}" if len(distinct) else "no value"
        raise InputError(
            f"The target {name!r} holds {seen}: there is nothing to learn. Give a target with at least two values."
        )
    if task is None:
        chosen, rule = _decide(distinct, counts, name)
    else:
        chosen, rule = _requested(task, distinct, name), f"requested: {task}"
    rule += f"; the target is text and was read as {read.style}" if read else ""
    if chosen == "regression":
        target, classes = values.astype(np.float64), None
    else:
        target, classes = codes.astype(np.int64), tuple(map(_class_name, distinct))
    commas = read is not None and read.decimal_comma
    return Targets(task=chosen, values=target, classes=classes, rule=rule, decimal_comma=commas)


def _plain(values: npt.NDArray[Any], name: str, task: str | None) -> tuple[npt.NDArray[Any], Numerals | None]:
    """Finite numbers, or texts; and how the numbers were written, if not plainly."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(f"The target {name!r} must be one value per example, got shape {values.shape}.")
    if values.dtype.kind not in "biufOU":
        raise InputError(f"The target {name!r} must hold numbers or text, got {values.dtype}.")
    read = None
    if values.dtype.kind == "O" and all(isinstance(value, numbers.Real | np.bool_) for value in values.tolist()):
        values = plain(values.tolist(), f"The target {name!r}")
    if values.dtype.kind in "OU":
        values, read = _texts(values, name, task)
    require_finite(values[:, None], (name,), "target")
    return (values.astype(np.int64) if values.dtype.kind == "b" else values), read


def _texts(values: npt.NDArray[Any], name: str, task: str | None) -> tuple[npt.NDArray[Any], Numerals | None]:
    missing = np.array([is_empty(value) for value in values.tolist()], bool)
    no_text = np.array([not isinstance(value, str) for value in values.tolist()], bool)
    if missing.any() or no_text.any():
        raise InputError(
            f"The target {name!r} is missing or not text in {list_rows(missing if missing.any() else no_text)}. "
            "Complete or remove these rows."
        )
    texts = values.astype(str)
    if all(NUMBER.fullmatch(text) for text in texts.tolist()):
        return texts.astype(np.float64), None
    if task in ("binary", "multiclass"):
        return texts, None
    distinct, codes = np.unique(texts, return_inverse=True)
    if read := read_numerals(f"The target {name!r}", tuple(distinct.tolist()), codes, CLASSES, 0.5):
        return read.values, read
    markers = np.isin(codes, [code for code, text in enumerate(distinct) if text.strip().casefold() in NOT_A_CLASS])
    if markers.any():
        raise InputError(
            f"The target {name!r} is missing (written {texts[markers][0].item()!r}) in {list_rows(markers)}. Complete "
            f"or remove them. {CLASSES}"
        )
    return texts, None


def is_empty(value: Any) -> bool:
    """Whether a value in a column of mixed values is none: None, NaN, NA or blank text.

    Example:
        >>> [is_empty(value) for value in (None, float("nan"), " ", 0, "0")]
        [True, True, True, False, False]
    """
    return not value.strip() if isinstance(value, str) else bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _decide(distinct: npt.NDArray[Any], counts: npt.NDArray[np.int64], name: str) -> tuple[Task, str]:
    if len(distinct) == 2:
        return "binary", "two values: binary"
    if distinct.dtype.kind == "U":
        return "multiclass", f"text with {len(distinct)} values: multiclass"
    if len(distinct) <= MOST_CLASSES and _whole(distinct):
        if counts.min() >= LEAST_PER_CLASS:
            return (
                "multiclass",
                f"{len(distinct)} integer values, each seen at least {LEAST_PER_CLASS} times: multiclass",
            )
        if counts.sum() >= CODES_RECUR * len(distinct):
            rare = [
                f"{_class_name(value)} ({count})"
                for value, count in zip(distinct, counts, strict=True)
                if count < LEAST_PER_CLASS
            ]
            raise InputError(
                f"The target {name!r} has {len(distinct)} integer values, some of them rare (value and rows: "
                f"{', '.join(rare[:5])}{', ...' if len(rare) > 5 else ''}): they may be classes or amounts. Say which: "
                "--task multiclass or --task regression; in Python, task='multiclass' or task='regression'."
            )
    return "regression", f"{len(distinct)} numbers: regression"


def _requested(task: str, distinct: npt.NDArray[Any], name: str) -> Task:
    if task not in TASKS:
        raise InputError(f"Unknown task {task!r}.{nearest(task, TASKS)} Choose one of {', '.join(TASKS)}.")
    if task == "binary" and len(distinct) != 2:
        raise InputError(f"A binary target has two values, {name!r} has {len(distinct)}. Leave the task out.")
    if task == "regression" and distinct.dtype.kind == "U":
        raise InputError(f"A regression target holds numbers, {name!r} holds text such as {distinct[0].item()!r}.")
    if task == "multiclass" and distinct.dtype.kind != "U" and not _whole(distinct):
        raise InputError(f"A multiclass target holds whole numbers or text, {name!r} does not. Use task 'regression'.")
    return task


def _whole(distinct: npt.NDArray[Any]) -> bool:
    return bool(np.all(distinct == np.floor(distinct)))


def _class_name(value: Any) -> str:
    number = value.item()
    return str(int(number)) if isinstance(number, float | np.floating) and number.is_integer() else str(number)
