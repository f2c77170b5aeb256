"""The exact ground truth as a job of the study: small problems whose MIS is enumerated."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quantleak.studies.synthetic.jobs.exact import problems
from quantleak.studies.synthetic.jobs.exact_quantizers import quantizers, ranking
from quantleak.studies.synthetic.jobs.fresh import Arrays


@dataclass(frozen=True)
class ExactJob:
    """Enumerate the named problems, and small worlds in which real quantizers are compared."""

    def __call__(self, shared: None = None) -> tuple[Arrays, dict[str, Any]]:
        """The frames as plain values; `frames` reads them back."""
        start = time.perf_counter()
        worlds = quantizers()
        made = {"problems": problems(), "quantizers": worlds, "ranking": ranking(worlds)}
        plain = {name: frame.to_dict("list") for name, frame in made.items()}
        return {}, {"frames": plain, "seconds": time.perf_counter() - start}


def frames(meta: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The frames by name: `problems`, `quantizers`, `ranking`."""
    return {name: pd.DataFrame(columns) for name, columns in meta["frames"].items()}
