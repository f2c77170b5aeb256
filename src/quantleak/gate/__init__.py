"""Gates: whether the leakage of a finished run stays within limits, for a release pipeline."""

from quantleak.gate.gating import gate as gate
from quantleak.gate.limits import Limits as Limits
from quantleak.gate.result import Check as Check
from quantleak.gate.result import GateResult as GateResult
