"""Exact ground truth: the Membership Inference Security of learners on finite data, by enumeration.

Start at `erm_mis(losses, probabilities, n)`; `learner_mis` takes any other learner. For a finite data distribution the
joint law of the parameters and a training example is a sum over multinomial counts: the oracle for attacks, bounds and
rates.
"""

from .enumeration import enumerate_mis as enumerate_mis
from .front import erm_mis as erm_mis
from .front import learner_mis as learner_mis
from .learners import Erm as Erm
from .learners import Gibbs as Gibbs
from .learners import Learner as Learner
from .population import population_table as population_table
from .record import ExactMis as ExactMis
from .sampling import Sampling as Sampling
from .sampling import sample_mis as sample_mis
from .uses import attack_bound as attack_bound
from .uses import quantized as quantized
from .uses import slope as slope
