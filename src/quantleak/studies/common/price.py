"""What a study would cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a study would cost.

    Attributes:
        trainings: Models that it trains.
        seconds: By stage, with all workers.
        megabytes: On disk.
    """

    trainings: int
    seconds: dict[str, float]
    megabytes: float

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return sum(self.seconds.values())
