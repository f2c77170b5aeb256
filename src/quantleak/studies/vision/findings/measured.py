"""One data set of the study as its jobs left it: figures of every row, ready for paired comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantleak.attacks import Crossed
from quantleak.auditing.measures.utility import Measured as Metric
from quantleak.auditing.measures.utility import measure
from quantleak.auditing.plan import Plan
from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.jobs import ADAPTIVE, SMALLER, Row, RowOutput, Trained, stopped_name

MAIN = "accuracy"


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What the study found on one data set.

    Attributes:
        name: Of the data set.
        plan: Of the fleet that is quantized.
        small: Of the small float networks.
        rows: Every quantizer, by spec.
        trained: What the fleets left.
        stopped_at: Epochs at which float networks were looked at.
        outputs: By spec, or by the name of a control, what the attacks left.
    """

    name: str
    plan: Plan
    small: Plan
    rows: Mapping[str, Row]
    trained: Trained
    stopped_at: tuple[int, ...]
    outputs: Mapping[str, RowOutput]

    def place(self, spec: str) -> int:
        """Where the quantizer stands among those of the plan."""
        return list(self.plan.procedures).index(spec)

    def find(self, part: str, method: str, width: str, option: str = "body") -> Row | None:
        """The row of a part, method and width, None if the study has none."""
        wanted = (part, method, width, option)
        return next((r for r in self.rows.values() if (r.part, r.method, r.width, r.option) == wanted), None)

    def leakage(self, name: str, attack: str, mode: str, metric: str) -> Crossed | None:
        """A figure of a row or control with its influences; None if the examples do not support it.

        Attackers of full-precision models have nothing to transfer: their one mode stands for every mode.
        """
        output = self.outputs[name]
        key = f"{attack}/{mode}/{metric}"
        if key not in output.influence and name == BASELINE:
            key = f"{attack}/{ADAPTIVE}/{metric}"
        if key not in output.influence:
            return None
        return Crossed(values=output.columns[key], influence=output.influence[key].astype(np.float64))

    @cached_property
    def utility(self) -> dict[str, Metric]:
        """The accuracy of every row and control."""
        block, stopped = self.trained.quantized.block, self.trained.quantized.stopped_test
        found = {spec: self._accuracy(block.test[:, place]) for place, spec in enumerate(self.plan.procedures)}
        found |= {stopped_name(e): self._accuracy(stopped[:, n]) for n, e in enumerate(self.stopped_at)}
        return found | {SMALLER: self._accuracy(self.trained.smaller.test[:, 0])}

    def _accuracy(self, right: np.ndarray) -> Metric:
        plan = self.plan
        groups = plan.dataset.groups[plan.parts.test]
        return measure(right, plan.part("test")[1], plan.dataset.task, groups, plan.settings.level)[MAIN]

    def lost(self, name: str) -> Estimate:
        """Accuracy of the original less that of a row or control, paired by model and example."""
        difference = self.utility[BASELINE].crossed - self.utility[name].crossed
        return difference.estimate(self.plan.settings.level)

    @property
    def bits(self) -> dict[str, float]:
        """Effective bits per number of every row and control."""
        found = dict(self.trained.quantized.block.bits)
        found |= {stopped_name(epoch): found[BASELINE] for epoch in self.stopped_at}
        return found | {SMALLER: self.trained.smaller.bits[BASELINE]}

    @property
    def kilobytes(self) -> dict[str, float]:
        """Size of every row and control on disk."""
        numbers = {SMALLER: self.small.network.layout.count}
        each = self.plan.network.layout.count
        return {name: bits * numbers.get(name, each) / 8000 for name, bits in self.bits.items()}
