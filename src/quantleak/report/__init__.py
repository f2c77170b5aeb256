"""An audit's result as a reader meets it: in the terminal, in a notebook, as a page."""

from quantleak.report.pages.files import write_pages as write_pages
from quantleak.report.pages.files import write_report as write_report
from quantleak.report.table import html_table as html_table
from quantleak.report.table import text_table as text_table
