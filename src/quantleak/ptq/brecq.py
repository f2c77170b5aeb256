"""BRECQ: learn the rounding of a block's weights together, against the block's output."""

from __future__ import annotations

from dataclasses import dataclass

from quantleak.errors import InputError
from quantleak.ptq.adaround import LearnedRounding
from quantleak.ptq.unit import Codes, Unit

LOSSES = ("fisher", "mse")


@dataclass(frozen=True, kw_only=True)
class Brecq(LearnedRounding):
    """BRECQ (arXiv 2102.05426): learn the rounding of a block's weights together, against the block's output.

    Blocks are modules of registered classes (:func:`~quantleak.ptq.register_block`); layers outside of blocks are
    reconstructed one by one.

    Attributes:
        loss: `fisher` weighs errors of the output by the Fisher information, `mse` counts all alike.
        parts: Name pattern of the modules that are blocks, such as `layer*.*`, in place of the registered classes.
    """

    loss: str = "fisher"
    parts: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in LOSSES:
            raise InputError(f"{self.name}: loss must be {' or '.join(LOSSES)}, got '{self.loss}'.")
        if self.batch < 1:
            raise InputError(f"{self.name}: batch must be at least 1, got {self.batch}.")

    @property
    def blocks(self) -> bool:
        """See `DataAware.blocks`."""
        return True

    @property
    def block_patterns(self) -> tuple[str, ...]:
        """See `DataAware.block_patterns`."""
        return (self.parts,) if self.parts else ()

    @property
    def fisher(self) -> bool:
        """See `DataAware.fisher`."""
        return self.loss == "fisher"

    def reconstruct(self, unit: Unit) -> tuple[Codes, str | None]:
        """See `DataAware.reconstruct`."""
        return unit.learn(self.schedule, self.learning_rate, self.batch, asymmetric=self.asymmetric), None
