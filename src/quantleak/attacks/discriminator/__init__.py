"""The discriminator of paper A (section 4.2): one network that separates members from non-members across many models.

Apart from the other attacks because it needs torch, which `quantleak.attacks` does without.
"""

from quantleak.attacks.discriminator.attack import discriminator as discriminator
from quantleak.attacks.discriminator.inputs import InputKind as InputKind
from quantleak.attacks.discriminator.observed import Observed as Observed
from quantleak.attacks.discriminator.result import Discrimination as Discrimination
from quantleak.attacks.discriminator.result import PerModel as PerModel
from quantleak.attacks.discriminator.result import Trial as Trial
from quantleak.attacks.discriminator.settings import SEARCH as SEARCH
from quantleak.attacks.discriminator.settings import Candidate as Candidate
from quantleak.attacks.discriminator.settings import Discriminator as Discriminator
from quantleak.attacks.discriminator.split import Split as Split
