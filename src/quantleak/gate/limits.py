"""How much an attack may find: the limits of a gate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from quantleak.errors import InputError

ON = ("high", "value")
RECOMMENDED = "recommended"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is allowed of every attack on every judged quantizer.

    Attributes:
        tpr: Pairs of a false-positive rate and the largest true-positive rate allowed at it.
        auc: The largest AUC allowed; None for no limit.
        on: Judge the upper limit of the interval (`high`), or the `value` itself.
        quantizers: Specs to judge, or names as the report shows them (`1 bit`), or `recommended`; all but the original
            if empty.
        require_classes: Whether a class that has too few examples to be judged fails.

    Raises:
        InputError: No limit at all, or one outside 0 to 1.
    """

    tpr: tuple[tuple[float, float], ...] = ()
    auc: float | None = None
    on: str = "high"
    quantizers: tuple[str, ...] = ()
    require_classes: bool = False

    def __post_init__(self) -> None:
        problems = [] if self.tpr or self.auc is not None else ["Give a limit: --max-tpr 0.01:0.05 or --max-auc 0.6."]
        for fpr, limit in self.tpr:
            problems += [] if 0 < fpr < 1 else [f"--max-tpr: the false-positive rate must lie in 0 to 1, got {fpr:g}."]
            problems += [] if 0 <= limit <= 1 else [f"--max-tpr: the limit must lie in 0 to 1, got {limit:g}."]
            if fpr >= limit:
                problems.append(
                    f"--max-tpr {fpr:g}:{limit:g} can never be met: guessing finds {fpr:g} of the members. "
                    "Write FPR:LIMIT, such as 0.01:0.05."
                )
        if self.auc is not None and not 0.5 < self.auc <= 1:
            problems.append(f"--max-auc must lie between 0.5, which is guessing, and 1, got {self.auc:g}.")
        if self.on not in ON:
            problems.append(f"--on must be {' or '.join(ON)}, got '{self.on}'.")
        if problems:
            raise InputError("\n".join(problems))

    @classmethod
    def read(
        cls,
        max_tpr: Sequence[str] = (),
        max_auc: float | None = None,
        *,
        on: str = "high",
        quantizers: Sequence[str] = (),
        require_classes: bool = False,
    ) -> Limits:
        """Limits from texts.

        Args:
            max_tpr: `FPR:LIMIT` each.
            max_auc: The largest AUC.
            on: `high` or `value`.
            quantizers: Specs or names.
            require_classes: Whether a class that cannot be judged fails.

        Raises:
            InputError: A text that is not two numbers, and all that `Limits` refuses.

        Example:
            >>> Limits.read(["0.01:0.05"]).tpr
            ((0.01, 0.05),)
        """
        pairs = tuple(_pair(text) for text in max_tpr)
        return cls(tpr=pairs, auc=max_auc, on=on, quantizers=tuple(quantizers), require_classes=require_classes)


def _pair(text: str) -> tuple[float, float]:
    fpr, _, limit = text.partition(":")
    try:
        pair = float(fpr), float(limit)
    except ValueError:
        pair = math.nan, math.nan
    if not all(map(math.isfinite, pair)):
        raise InputError(f"--max-tpr takes FPR:LIMIT, such as 0.01:0.05, got '{text}'.")
    return pair
