"""Theory: what the losses of a quantizer's elements say about privacy, without running an attack.

Pure functions of a loss table [elements, validation examples] first, then the `Trajectory` that collects such tables
while models train, then the statistics over many models. `theory.exact` knows the truth where data are finite.
"""

from .certificate import Certificate as Certificate
from .certificate import certificate_start as certificate_start
from .certificate import erm_certificate as erm_certificate
from .cramer import cramer_rate as cramer_rate
from .estimate import Estimate as Estimate
from .exact import ExactMis as ExactMis
from .exact import erm_mis as erm_mis
from .exact import learner_mis as learner_mis
from .fidelity import fidelity as fidelity
from .finite import finite_rate as finite_rate
from .ranks import Ranks as Ranks
from .ranks import confidence_more_private as confidence_more_private
from .ranks import ranks as ranks
from .rate import Rate as Rate
from .rate import lambda_kk as lambda_kk
from .rate import privacy_rate as privacy_rate
from .rates import Rates as Rates
from .rates import rates as rates
from .summary import Summary as Summary
from .summary import combine as combine
from .trajectory import Trajectory as Trajectory
