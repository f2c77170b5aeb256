"""Everything the theory says about one model's loss table, from one pass over it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from quantleak.theory.certificate import certificate_start_of
from quantleak.theory.cramer import Exponents, cramer_rate_of
from quantleak.theory.gaps import gaps
from quantleak.theory.rate import Rate, lambda_kk_of, privacy_rate_of


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What is kept of a loss table.

    Attributes:
        r_q: The privacy score, see `privacy_rate`.
        cramer: The Cramer rate, see `cramer_rate`.
        certificate_start: Smallest n with a positive ERM certificate; None if there is none or it was not requested.
        means: Mean losses of the distinct elements, ascending; float64, nats.
        variances: `sigma_k^2` of the elements after the best, in the same order; nats squared.
        lambda_kk: The paper's diagnostic in the same order, see `lambda_kk`.
    """

    r_q: Rate
    cramer: Rate
    certificate_start: int | None
    means: Tensor = field(compare=False, repr=False)
    variances: Tensor = field(compare=False, repr=False)
    lambda_kk: Tensor = field(compare=False, repr=False)


def rates(losses: object, *, certificate: bool = False) -> Rates:
    """r_Q, Cramer rate and diagnostics of a loss table.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.
        certificate: Also find `certificate_start`, which may need the exponents of all competitors and cost ten times
            the rest.

    Raises:
        InputError: If `losses` is not a table, or holds NaN or minus infinity.

    Example:
        >>> both = rates([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0]], certificate=True)
        >>> round(both.r_q.value, 4), round(both.cramer.value, 4), both.certificate_start
        (0.1667, 0.1438, 1)
    """
    measured = gaps(losses)
    exponents = Exponents(measured)
    return Rates(
        r_q=privacy_rate_of(measured),
        cramer=cramer_rate_of(exponents),
        certificate_start=certificate_start_of(exponents) if certificate else None,
        means=measured.means,
        variances=measured.variance,
        lambda_kk=lambda_kk_of(measured),
    )
