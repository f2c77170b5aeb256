"""The verdict of a gate as files for a pipeline: Markdown for a summary, JUnit for a test report."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

from quantleak.report.text import escaped, markdown_table, printable

if TYPE_CHECKING:
    from quantleak.gate.result import GateResult


def summary(result: GateResult) -> str:
    """Markdown: the headline, one line a check, what was judged."""
    titles, rows = result.rows()
    notes = "\n\n".join(map(escaped, result.notes()))
    return f"## {result.headline()}\n\n{markdown_table(titles, rows)}\n\n{notes}\n"


def junit(result: GateResult) -> bytes:
    """JUnit XML, UTF-8: one test case a check, one failure for each that is not met."""
    failed = sum(not check.passed for check in result.checks)
    counts = {"tests": str(len(result.checks)), "failures": str(failed), "errors": "0"}
    suites = xml.Element("testsuites", counts)
    suite = xml.SubElement(suites, "testsuite", {"name": "quantleak gate", **counts})
    for check in result.checks:
        case = xml.SubElement(
            suite,
            "testcase",
            {
                "classname": f"quantleak.gate.{printable(check.quantizer)}",
                "name": f"{check.measure} <= {check.limit:g}",
            },
        )
        if not check.passed:
            message = f"{check.quantizer}: {check.measure} {check.verdict()}"
            xml.SubElement(case, "failure", {"type": "limit", "message": printable(message)}).text = printable(
                f"{message} (allowed {check.limit:g}, judged {check.judged}, attack {check.attack or 'none'})"
            )
    return bytes(xml.tostring(suites, encoding="utf-8", xml_declaration=True))
