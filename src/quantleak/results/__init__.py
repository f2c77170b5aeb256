"""Results: numbers with intervals, the records of an audit and of attacks on user-supplied scores, and their files."""

from quantleak.results.audit import PAGES as PAGES
from quantleak.results.audit import AuditRecord as AuditRecord
from quantleak.results.controls import CalibrationLeakage as CalibrationLeakage
from quantleak.results.controls import NoiseComparison as NoiseComparison
from quantleak.results.controls import NoisePoint as NoisePoint
from quantleak.results.estimate import Estimate as Estimate
from quantleak.results.estimate import finite as finite
from quantleak.results.estimate import finite_estimate as finite_estimate
from quantleak.results.reading import opened as opened
from quantleak.results.records import METRIC_NAMES as METRIC_NAMES
from quantleak.results.records import AttackResult as AttackResult
from quantleak.results.records import Caution as Caution
from quantleak.results.records import Exposure as Exposure
from quantleak.results.records import PerExample as PerExample
from quantleak.results.records import QuantizerResult as QuantizerResult
from quantleak.results.records import RateSummary as RateSummary
from quantleak.results.records import Recommendation as Recommendation
from quantleak.results.records import Utility as Utility
from quantleak.results.records import Worst as Worst
from quantleak.results.records import WorstClass as WorstClass
from quantleak.results.scores import ScoresRecord as ScoresRecord
from quantleak.results.scores import is_scores as is_scores
from quantleak.results.versions import versions as versions
