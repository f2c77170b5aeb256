"""The learning algorithm: many models at once, each on its own rows of one pool of examples."""

from quantleak.fleet.augment import Augment as Augment
from quantleak.fleet.augment import augment as augment
from quantleak.fleet.choose import TRAINERS as TRAINERS
from quantleak.fleet.choose import trainer as trainer
from quantleak.fleet.constants import constants as constants
from quantleak.fleet.fleet import Block as Block
from quantleak.fleet.fleet import Checkpoint as Checkpoint
from quantleak.fleet.fleet import Fleet as Fleet
from quantleak.fleet.fleet import rows_of as rows_of
from quantleak.fleet.objective import LOSSES as LOSSES
from quantleak.fleet.objective import outputs_of as outputs_of
from quantleak.fleet.objective import target_dtype as target_dtype
from quantleak.fleet.optimizers import Adam as Adam
from quantleak.fleet.optimizers import Optimizer as Optimizer
from quantleak.fleet.optimizers import optimizer as optimizer
from quantleak.fleet.predict import Predictor as Predictor
from quantleak.fleet.predict import predictions as predictions
from quantleak.fleet.training import PRECISIONS as PRECISIONS
from quantleak.fleet.training import SCHEDULES as SCHEDULES
from quantleak.fleet.training import Training as Training
