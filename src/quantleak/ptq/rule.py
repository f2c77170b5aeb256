"""What the rules for whole networks share: the grid of every channel, the head, what is read of the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import ClassVar, cast

from torch import Tensor

from quantleak.errors import InputError
from quantleak.ptq.procedure import MEMBERS, SOURCES, Procedure
from quantleak.ptq.solvers import Grid
from quantleak.ptq.solvers.grid import GridKind, RangeKind
from quantleak.ptq.unit import Codes, Unit

TERNARY = "ternary"
BODY = "body"
FLOAT = "float"
MOST_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Rule(Procedure):
    """Base of the rules that quantize every weight of a network to an affine grid per output channel.

    Attributes:
        width: Bits per weight, 1 to 16, or `ternary`: three levels.
        levels: Another number of levels, in place of the width.
        grid: `affine`, or `symmetric` about zero.
        range: `search` for the range with the smallest error, or `minmax`.
        zero: Whether 0 is always on the grid.
        head: Bits of the last linear layer that runs, or `ternary`, `float` (left as it is), `body` (like the rest).
        fold: Fold batch norms into the layers before them first.
        retune: Take the statistics of batch norms again on the calibration examples afterwards.
        examples: At most so many calibration examples are read, if any are needed.
        calibration: Where an audit takes them from: `members` (each model's own training examples), `held-out`
            (examples used for nothing else), `public` (another data set) or `synthetic` (noise with the mean and the
            covariance of the population). `ql.quantize` reads those that it is given.
        keep: Name pattern of layers that stay at full precision, such as `layer1.*`; case does not matter.
        only: Name pattern of the only layers that are quantized.
    """

    positional: ClassVar[tuple[str, ...]] = ("width",)
    reads_data: ClassVar[bool] = False

    width: int | str = 4
    levels: int | None = None
    grid: str = "affine"
    range: str = "search"
    zero: bool = True
    head: int | str = BODY
    fold: bool = False
    retune: bool = False
    examples: int = 1024
    calibration: str = MEMBERS
    keep: str | None = None
    only: str | None = None

    def __post_init__(self) -> None:
        _require_width(self.name, "width", self.width)
        if self.head not in (BODY, FLOAT):
            _require_width(self.name, "head", self.head, f", {FLOAT} or {BODY}")
        if self.levels is not None and not 2 <= self.levels <= 1 << MOST_BITS:
            raise InputError(f"{self.name}: levels must lie between 2 and {1 << MOST_BITS}, got {self.levels}.")
        for field, value, allowed in (
            ("grid", self.grid, ("affine", "symmetric")),
            ("range", self.range, ("search", "minmax")),
            ("calibration", self.calibration, SOURCES),
        ):
            if value not in allowed:
                raise InputError(f"{self.name}: {field} must be {' or '.join(allowed)}, got '{value}'.")
        if self.grid == "symmetric" and self.count < 3:
            raise InputError(
                f"{self.name}: a symmetric grid needs 3 levels or more, got {self.count}; use grid=affine."
            )
        if self.fold and self.retune:
            raise InputError(f"{self.name}: fold=true leaves no batch norms to retune; keep one of the two.")
        if self.examples < 1:
            raise InputError(f"{self.name}: examples must be at least 1, got {self.examples}.")
        if self.calibration_rows < 2:
            # Whose example shows the order of the layers makes no difference: equal rules have equal specs.
            object.__setattr__(self, "calibration", MEMBERS)

    @property
    def count(self) -> int:
        """The number of levels."""
        return self.levels or (3 if self.width == TERNARY else int(2 ** int(self.width)))

    @property
    def discrete(self) -> bool:
        """See `Procedure.discrete`."""
        return self.unquantized_dtype != "float32" and self.head != FLOAT and not (self.keep or self.only)

    @property
    def calibration_rows(self) -> int:
        """See `Procedure.calibration_rows`; one row shows in which order layers run."""
        if self.reads_data or self.retune:
            return self.examples
        return 1 if self.fold or self.head != BODY else 0

    @property
    def calibration_source(self) -> str:
        """See `Procedure.calibration_source`."""
        return self.calibration

    @property
    def data_free(self) -> bool:
        """See `Procedure.data_free`; which layer runs last depends on no value."""
        return not (self.reads_data or self.retune) or self.calibration != MEMBERS

    def grid_of(self, matrix: Tensor) -> Grid:
        """The grid of every row of a weight."""
        kind, span = cast(GridKind, self.grid), cast(RangeKind, self.range)  # checked above
        return Grid.search(matrix, self.count, kind=kind, span=span, with_zero=self.zero)

    def leaves(self, names: Collection[str]) -> bool:
        """Whether a weight with these names, of itself and its layer, stays at full precision by `keep` or `only`."""

        def fits(pattern: str) -> bool:
            return any(fnmatchcase(name.lower(), pattern.lower()) for name in names)

        return (self.keep is not None and fits(self.keep)) or (self.only is not None and not fits(self.only))

    def at_head(self) -> Rule | None:
        """The rule of the head; None if it is left."""
        return None if self.head == FLOAT else replace(self, width=self.head, levels=None, head=BODY)


@dataclass(frozen=True, kw_only=True)
class DataAware(Rule):
    """A rule that reconstructs a layer or block from its inputs and the outputs that it should have."""

    reads_data: ClassVar[bool] = True

    @property
    def blocks(self) -> bool:
        """Whether whole blocks are reconstructed, or single layers."""
        return False

    @property
    def block_patterns(self) -> tuple[str, ...]:
        """Name patterns of the blocks, in place of the registered classes."""
        return ()

    @property
    def fisher(self) -> bool:
        """Whether the importance of outputs is needed."""
        return False

    @abstractmethod
    def reconstruct(self, unit: Unit) -> tuple[Codes, str | None]:
        """Codes of the weights of one unit, by name, and a note for the record."""


def _require_width(name: str, field: str, value: int | str, also: str = "") -> None:
    if value != TERNARY and not (isinstance(value, int) and 1 <= value <= MOST_BITS):
        raise InputError(
            f"{name}: {field} must be a number of bits from 1 to {MOST_BITS}, {TERNARY}{also}, got '{value}'; for "
            f"example '{name}:4'."
        )
