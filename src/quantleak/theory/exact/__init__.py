"""Exact ground truth: the Membership Inference Security of learners on finite data, by enumeration.

Start at `erm_mis(losses, probabilities, n)`; `learner_mis` takes any other learner. For a finite data distribution the
joint law of the parameters and a training example is a sum over multinomial counts: the oracle for attacks, bounds and
rates.
"""

from quantleak.theory.exact.enumeration import enumerate_mis as enumerate_mis
from quantleak.theory.exact.front import erm_mis as erm_mis
from quantleak.theory.exact.front import learner_mis as learner_mis
from quantleak.theory.exact.learners import Erm as Erm
from quantleak.theory.exact.learners import Gibbs as Gibbs
from quantleak.theory.exact.learners import Learner as Learner
from quantleak.theory.exact.population import population_table as population_table
from quantleak.theory.exact.record import ExactMis as ExactMis
from quantleak.theory.exact.sampling import Sampling as Sampling
from quantleak.theory.exact.sampling import sample_mis as sample_mis
from quantleak.theory.exact.uses import attack_bound as attack_bound
from quantleak.theory.exact.uses import quantized as quantized
from quantleak.theory.exact.uses import slope as slope
