"""The result of an audit as its reader meets it: printed, in a notebook, and as files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from quantleak.auditing.settings import Settings
from quantleak.report import html_table, text_table, write_pages
from quantleak.results import AuditRecord


class AuditResult(AuditRecord):
    """The result of :func:`quantleak.audit`; every number of :class:`~quantleak.results.AuditRecord`, and its words."""

    def __str__(self) -> str:
        """The recommendation and one line per quantizer."""
        return text_table(self)

    def _repr_html_(self) -> str:
        return html_table(self)

    def write_pages(self, folder: str | Path, quantizer: str | None = None) -> None:
        """Write everything that readers open into `folder`; see :func:`quantleak.report.write_pages`."""
        write_pages(self, folder, quantizer, defaults=asdict(Settings()))
