"""What a tracker found: the rates of one training run by quantizer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from quantleak.errors import InputError, nearest
from quantleak.theory import Rate, Rates


@dataclass(frozen=True, kw_only=True)
class TrackedRates:
    """The rates of one training run; `rates["sign"].r_q.value` is a number.

    One run gives one draw of r_Q, which scatters over runs: collect several and see `quantleak.combine`. Rates compare
    only at equal numbers of validation examples.

    Attributes:
        rates: By quantizer spec, see :class:`quantleak.theory.Rates`: `r_q` and `cramer` in nats, each with `z` and
            `elements`.
        updates: How often the tracker looked at the model.
        n_validation: N, the validation examples behind every rate.
        unquantized_dtype: To what biases, norms and buffers were rounded.
    """

    rates: dict[str, Rates]
    updates: int
    n_validation: int
    unquantized_dtype: str

    def __getitem__(self, quantizer: str) -> Rates:
        if quantizer not in self.rates:
            raise InputError(
                f"Quantizer '{quantizer}' was not tracked.{nearest(quantizer, self.rates)} "
                f"Tracked: {', '.join(self.rates)}."
            )
        return self.rates[quantizer]

    def to_frame(self) -> pd.DataFrame:
        """Tidy and long: a row for each quantizer and metric (`r_q`, `cramer`)."""
        return pd.DataFrame(
            [
                _row(spec, metric, rate)
                for spec, found in self.rates.items()
                for metric, rate in (("r_q", found.r_q), ("cramer", found.cramer))
            ]
        )

    def to_dict(self) -> dict[str, float]:
        """The numbers that are finite, as a logger takes them: `{"r_q/sign": 0.01, ...}`."""
        values = {
            f"{name}/{spec}": value
            for spec, found in self.rates.items()
            for name, value in (("r_q", found.r_q.value), ("cramer", found.cramer.value), ("z", found.r_q.z))
        }
        return {name: value for name, value in values.items() if math.isfinite(value)}

    def __str__(self) -> str:
        """One line per quantizer, most private first."""
        lines = [f"{'quantizer':<16} {'r_Q':>9} {'z':>7} {'Cramer':>9} {'elements':>8}"]
        for spec in self._ordered():
            found = self.rates[spec]
            line = f"{spec:<16} {found.r_q.value:>9.2g} {found.r_q.z:>7.2f} {found.cramer.value:>9.2g}"
            lines.append(f"{line} {found.r_q.elements:>8}")
        return "\n".join([*lines, self._caption()])

    def _repr_html_(self) -> str:
        rows = {
            spec: {
                "r_Q": found.r_q.value,
                "z": found.r_q.z,
                "Cramer": found.cramer.value,
                "elements": found.r_q.elements,
            }
            for spec, found in ((spec, self.rates[spec]) for spec in self._ordered())
        }
        table: str = pd.DataFrame.from_dict(rows, orient="index").to_html(float_format=lambda value: f"{value:.2g}")
        return f"{table}<p>{self._caption()}</p>"

    def _ordered(self) -> list[str]:
        def key(spec: str) -> tuple[bool, float]:
            value = self.rates[spec].r_q.value
            return math.isnan(value), -value

        return sorted(self.rates, key=key)

    def _caption(self) -> str:
        return (
            f"larger r_Q = more private; {self.n_validation} validation examples, {self.updates} updates; "
            "z below 2: not resolved"
        )


def _row(spec: str, metric: str, rate: Rate) -> dict[str, object]:
    return {
        "quantizer": spec, "metric": metric, "value": rate.value, "z": rate.z, "elements": rate.elements,
        "n_validation": rate.n_validation, "reason": rate.reason,
    }  # fmt: skip
