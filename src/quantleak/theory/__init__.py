"""Theory: what the losses of a quantizer's elements say about privacy, without running an attack.

Pure functions of a loss table [elements, validation examples] first, then the `Trajectory` that collects such tables
while models train, then the statistics over many models. `theory.exact` knows the truth where data are finite.
"""

from quantleak.theory.certificate import Certificate as Certificate
from quantleak.theory.certificate import certificate_start as certificate_start
from quantleak.theory.certificate import erm_certificate as erm_certificate
from quantleak.theory.cramer import cramer_rate as cramer_rate
from quantleak.theory.exact.front import erm_mis as erm_mis
from quantleak.theory.exact.front import learner_mis as learner_mis
from quantleak.theory.exact.record import ExactMis as ExactMis
from quantleak.theory.fidelity import fidelity as fidelity
from quantleak.theory.finite import finite_rate as finite_rate
from quantleak.theory.ranks import Ranks as Ranks
from quantleak.theory.ranks import confidence_more_private as confidence_more_private
from quantleak.theory.ranks import ranks as ranks
from quantleak.theory.rate import Rate as Rate
from quantleak.theory.rate import lambda_kk as lambda_kk
from quantleak.theory.rate import privacy_rate as privacy_rate
from quantleak.theory.rates import Rates as Rates
from quantleak.theory.rates import rates as rates
from quantleak.theory.summary import Summary as Summary
from quantleak.theory.summary import combine as combine
