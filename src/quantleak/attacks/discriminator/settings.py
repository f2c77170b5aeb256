"""The settings of the attack, and the search over those of g."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from quantleak.attacks.discriminator.inputs import InputKind
from quantleak.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One configuration of g.

    Attributes:
        inputs: What g reads, see `InputKind`; `paper` is theta, x, y and the loss.
        width: Hidden units; 0 leaves the linear part alone, which with `inputs="loss"` is a threshold on the loss.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.

    Raises:
        InputError: If a field is out of range.
    """

    inputs: InputKind = "paper"
    width: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        if self.inputs not in get_args(InputKind):
            raise InputError(
                f"Candidate(inputs=...) must be one of {', '.join(get_args(InputKind))}, got {self.inputs!r}."
            )
        if self.width < 0 or not self.learning_rate > 0 or not self.weight_decay >= 0:
            raise InputError(
                f"Candidate needs width >= 0, learning_rate > 0 and weight_decay >= 0, "
                f"got {self.width}, {self.learning_rate} and {self.weight_decay}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return asdict(self)


SEARCH = (
    Candidate(inputs="loss", width=0, learning_rate=3e-3, weight_decay=0.0),
    Candidate(inputs="example", width=64),
    Candidate(inputs="paper", width=128),
    Candidate(inputs="paper", width=32, learning_rate=3e-4, weight_decay=0.3),
    Candidate(inputs="alignment", width=64, learning_rate=1e-2, weight_decay=1e-3),
    Candidate(inputs="alignment", width=16, learning_rate=1e-2, weight_decay=1e-3),
)
"""The default search. The first is the plain monotone function of the loss: up to rounding, g is never less accurate on
the validation models than the LOSS attack. On the linear models of the synthetic study (sigma 2, 8 modes) `alignment`
wins under every quantizer and the paper's inputs add nothing to the loss: see `benchmarks/discriminator.py`."""


@dataclass(frozen=True, kw_only=True)
class Discriminator:
    """How the attack is run.

    Attributes:
        search: Configurations of g; the one most accurate on the validation models is kept, the first of equals.
        validation: Share of the models that choose.
        test: Share of the models that judge.
        epochs: At most so many passes over the training models.
        patience: Passes without a lower cross-entropy on the validation models before training stops.
        batch: Examples of each training model in a minibatch; every minibatch holds all training models.
        level: Of the intervals.

    Raises:
        InputError: If a field is out of range.
    """

    search: tuple[Candidate, ...] = SEARCH
    validation: float = 0.2
    test: float = 0.2
    epochs: int = 60
    patience: int = 8
    batch: int = 16
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.search:
            raise InputError("Discriminator(search=...) needs at least one Candidate, got none.")
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1 or not 0 < self.level < 1:
            raise InputError(
                f"Discriminator needs shares above 0 that leave models to train on and a level between 0 and 1, got "
                f"validation={self.validation}, test={self.test}, level={self.level}."
            )
        if min(self.epochs, self.patience, self.batch) < 1:
            raise InputError(
                f"Discriminator needs epochs, patience and batch of at least 1, "
                f"got {self.epochs}, {self.patience} and {self.batch}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field, ready for JSON."""
        return asdict(self)
