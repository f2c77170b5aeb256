"""Round to nearest: every weight at the nearest value of its channel's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quantleak.ptq.network import NetworkProcedure
from quantleak.ptq.unit import Codes, Unit


@dataclass(frozen=True, kw_only=True)
class Nearest(NetworkProcedure):
    """Round to nearest on an affine grid per output channel; needs no data."""

    reads_data: ClassVar[bool] = False
    every_epoch: ClassVar[bool] = True

    def reconstruct(self, unit: Unit) -> tuple[Codes, str | None]:
        """See `Rule.reconstruct`."""
        return {
            one.name: unit.grids[one.name].codes(one.matrix(unit.parameter(one)).float()) for one in unit.weights
        }, None
