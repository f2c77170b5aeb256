"""Round to nearest: every weight at the nearest value of its channel's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quantleak.ptq.network import NetworkProcedure


@dataclass(frozen=True, kw_only=True)
class Nearest(NetworkProcedure):
    """Round to nearest on an affine grid per output channel; needs no data."""

    every_epoch: ClassVar[bool] = True
