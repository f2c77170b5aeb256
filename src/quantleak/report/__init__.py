"""An audit's result as a reader meets it: in the terminal, in a notebook, as a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantleak.report.pages.table import html_table as html_table
from quantleak.report.pages.table import text_table as text_table

if TYPE_CHECKING:
    from quantleak.results import AuditRecord


def write_report(result: "AuditRecord", path: str | Path, **options: Any) -> Path:
    """Write the page to `path`; see :func:`quantleak.report.pages.page.write_report`."""
    # Altair takes a second to import, which tables do without.
    from quantleak.report.pages import page

    return page.write_report(result, path, **options)


def write_pages(result: "AuditRecord", folder: str | Path, quantizer: str | None = None, **options: Any) -> None:
    """Write everything that readers open into `folder`; see :func:`quantleak.report.pages.page.write_pages`."""
    from quantleak.report.pages import page

    page.write_pages(result, folder, quantizer, **options)
