"""The privacy rates: r_Q and the Cramér rate with all that one must know to trust them, and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.grid import Cell, Column, Row, Table, estimate, value
from quantleak.report.names import in_words
from quantleak.report.section import Section, with_symbols
from quantleak.report.summary import RESOLVED, disagreement, is_resolved, mark, named, unresolved

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult, RateSummary

TITLES = (
    "Median", "Mean", "Rank", "z", "Distinct models", "Validation examples", "Unbounded models", "Undefined models",
)  # fmt: skip

R_Q = with_symbols(
    "r_Q, in nats per training example, is half the squared signal-to-noise ratio with which the validation examples "
    "tell the best quantized model on a training trajectory from its closest competitor; larger is more private. It "
    "ranks quantizers against all attacks, known or not, but only under the assumptions of the theory (an "
    "empirical-risk minimiser over a discrete set, many training examples), and only the ranking is claimed, not the "
    "size. The number of distinct quantized models on the trajectory is shown beside it as a control: it ranks "
    "quantizers for free, and r_Q is worth only what it adds to that."
)
RESOLUTION = Markup(
    "The resolution <i>z</i> is the number of standard errors between best and closest competitor; below 2 the rate is "
    "not resolved at this number of validation examples. Rates are medians over models, given this pool and these "
    "validation examples, with intervals that hold whatever their distribution. The mean is what the paper averages; "
    "rates have heavy tails, for which no interval of a mean holds, so it has none. Rank 1 is the most private; "
    "quantizers whose rate is not resolved have no rank."
)
CRAMER = with_symbols(
    "The Cramér rate is the exponent of the same theory for a fixed quantizer; for Gaussian differences of losses it "
    "equals r_Q. Unbounded: no competitor came near the best on any validation example."
)
FIDELITY = (
    "Fidelity is the correlation between the outputs of a quantized model and of the original on the population, the "
    "mean over models. If quantization acts on outputs as a scale and independent noise, the shift that sets members "
    "apart is multiplied by it: smaller is more private. It needs no attack and no trajectory."
)
CERTIFICATE = Markup(
    "A certificate is a positive lower bound on Membership Inference Security, from the Cramér exponents of all "
    "competitors, for an empirical-risk minimiser over the distinct quantized models of a trajectory. It never speaks "
    "of one trained model, and exists only from some number <i>n</i> of training examples on."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    certified = certificates(result)
    return Section(
        title="Theory: r_Q, the Cramér rate, how stable the ranking is, and certificates",
        body=(
            R_Q,
            RESOLUTION,
            *(with_symbols(text) for text in (unresolved(result), disagreement(result)) if text),
            rate_table(result, "rate", "The privacy score r_Q"),
            stability(result),
            FIDELITY,
            fidelities(result),
            CRAMER,
            rate_table(result, "cramer", "The Cramér rate"),
            CERTIFICATE if certified else None,
            certified,
        ),
    )


def rate_table(result: AuditRecord, which: str, caption: str) -> Table:
    """One row per quantizer, of the rate named `which`, an attribute of a `QuantizerResult`: `rate` or `cramer`."""
    columns = (
        Column(title="Quantizer", numeric=False),
        *(Column(title=title) for title in TITLES),
        Column(title="Remark", numeric=False, wraps=True),
    )
    rows = [_row(row, getattr(row, which), mark(result, row.spec)) for row in result.quantizers]
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def _row(result: QuantizerResult, rate: RateSummary, marked: str) -> Row:
    cells = (
        named(result.spec),
        estimate(rate, digits.significant),
        value(rate.mean, digits.significant),
        estimate(rate.rank if is_resolved(rate) else None, digits.rank),
        value(rate.resolution, digits.resolution),
        value(rate.elements, digits.count),
        value(rate.n_validation, digits.count),
        value(rate.unbounded, digits.count),
        value(rate.undefined, digits.count),
        Cell(text=remark(rate)),
    )
    return Row(cells=cells, mark=marked)


def stability(result: AuditRecord) -> Table | None:
    """How sure each pair of the ranking is: a sign test of the two quantizers' r_Q on the same models."""
    ranked = [row for row in result.quantizers if row.rate.more_private_than and is_resolved(row.rate)]
    if len(ranked) < 2:
        return None
    columns = (Column(title="Quantizer", numeric=False), *(Column(title=in_words(row.spec)) for row in ranked))
    rows = [
        Row(
            cells=(
                named(row.spec),
                *(value(row.rate.more_private_than.get(other.spec), digits.whole_percent) for other in ranked),
            ),
            mark=mark(result, row.spec),
        )
        for row in ranked
    ]
    caption = (
        "How sure the ranking by r_Q is: confidence that the row's quantizer has the larger r_Q in most models "
        "(sign test on the same models; 50% says nothing)"
    )
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def fidelities(result: AuditRecord) -> Table:
    """One row per quantizer: fidelity with its interval."""
    columns = (Column(title="Quantizer", numeric=False), Column(title="Fidelity"))
    rows = [
        Row(cells=(named(row.spec), estimate(row.fidelity, digits.score)), mark=mark(result, row.spec))
        for row in result.quantizers
        if not row.is_baseline
    ]
    return Table(caption="Fidelity of the quantized models' outputs", columns=columns, rows=tuple(rows))


def certificates(result: AuditRecord) -> Table | None:
    """Where a certificate would start, by quantizer; None where no quantizer has a rate."""
    found = [row for row in result.quantizers if row.cramer.certificates]
    if not found:
        return None
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Certificate from n =, median"),
        Column(title="At the n of this audit", numeric=False, wraps=True),
    )
    rows = [
        Row(
            cells=(named(row.spec), _start(row.cramer), Cell(text=_certified(row.cramer, result))),
            mark=mark(result, row.spec),
        )
        for row in found
    ]
    return Table(caption="Certificates for empirical-risk minimisers", columns=columns, rows=tuple(rows))


def _start(cramer: RateSummary) -> Cell:
    return Cell(text="never") if cramer.certificate_start is None else value(cramer.certificate_start, digits.count)


def _certified(cramer: RateSummary, result: AuditRecord) -> str:
    members = result.n.get("members")
    at = "" if members is None else f" at n = {digits.count(members)}"
    if not cramer.certified:
        return f"no certificate{at}"
    return f"a certificate{at} in {cramer.certified} of {cramer.certificates} models"


def remark(rate: RateSummary) -> str:
    """The reason for a missing rate, and whether the rate is resolved.

    Example:
        >>> from quantleak.results import RateSummary
        >>> remark(RateSummary(value=1e-3, resolution=1.2, n_validation=1000))
        'not resolved at N = 1,000'
    """
    parts = [rate.reason] if rate.reason else []
    if rate.resolution is not None and rate.resolution < RESOLVED:
        at = "" if rate.n_validation is None else f" at N = {digits.count(rate.n_validation)}"
        parts.append(f"not resolved{at}")
    return "; ".join(parts)
