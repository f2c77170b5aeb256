"""One command: theory, the strongest attack and utility together, and a recommendation."""

from quantleak.auditing.result import AuditResult as AuditResult
from quantleak.auditing.run import audit as audit
from quantleak.auditing.settings import Settings as Settings
