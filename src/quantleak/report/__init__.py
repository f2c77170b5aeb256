"""An audit's result as a reader meets it: in the terminal, in a notebook, as a page."""

from pathlib import Path
from typing import TYPE_CHECKING

from quantleak.report.table import html_table as html_table
from quantleak.report.table import text_table as text_table

if TYPE_CHECKING:
    from quantleak.result import AuditResult


def write_report(result: "AuditResult", path: str | Path) -> Path:
    """Write the page to `path`; see :func:`quantleak.report.page.write_report`."""
    # Altair takes a second to import, which tables do without.
    from quantleak.report import page

    return page.write_report(result, path)


def write_pages(result: "AuditResult", folder: str | Path, quantizer: str | None = None) -> None:
    """Write everything that readers open into `folder`; see :func:`quantleak.report.page.write_pages`."""
    from quantleak.report import page

    page.write_pages(result, folder, quantizer)
