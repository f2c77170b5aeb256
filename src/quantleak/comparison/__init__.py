"""Compares two audits: paired differences with intervals."""

from quantleak.comparison.compare import compare_audits as compare_audits
from quantleak.comparison.comparison import AuditComparison as AuditComparison
