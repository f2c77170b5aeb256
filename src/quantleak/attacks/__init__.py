"""Attacks: from signals of models on examples to scores, curves and intervals. NumPy arrays only, no models.

Larger score = more likely a member, everywhere. `leave_one_out(attack, ...)` gives the scores of a whole fleet,
`evaluate` what they are worth, `worst_case` the strongest of several.
"""

from quantleak.attacks.bavaria import BaVarIA as BaVarIA
from quantleak.attacks.bavaria import bavaria as bavaria
from quantleak.attacks.difficulty import difficulty as difficulty
from quantleak.attacks.evaluation.compare import Comparison as Comparison
from quantleak.attacks.evaluation.compare import compare as compare
from quantleak.attacks.evaluation.crossed import Crossed as Crossed
from quantleak.attacks.evaluation.metrics import FPRS as FPRS
from quantleak.attacks.evaluation.metrics import Metrics as Metrics
from quantleak.attacks.evaluation.metrics import evaluate as evaluate
from quantleak.attacks.evaluation.metrics import mis_bound as mis_bound
from quantleak.attacks.evaluation.roc import Roc as Roc
from quantleak.attacks.evaluation.roc import roc as roc
from quantleak.attacks.evaluation.support import unsupported as unsupported
from quantleak.attacks.evaluation.worst_case import Choice as Choice
from quantleak.attacks.evaluation.worst_case import worst_case as worst_case
from quantleak.attacks.leave_one_out import leave_one_out as leave_one_out
from quantleak.attacks.lira import LiRA as LiRA
from quantleak.attacks.lira import lira as lira
from quantleak.attacks.loss import loss_attack as loss_attack
from quantleak.attacks.named import ATTACKS as ATTACKS
from quantleak.attacks.named import PER_EXAMPLE as PER_EXAMPLE
from quantleak.attacks.named import AttackKind as AttackKind
from quantleak.attacks.named import NamedAttack as NamedAttack
from quantleak.attacks.named import extra_attack as extra_attack
from quantleak.attacks.named import installed_attack as installed_attack
from quantleak.attacks.named import installed_attacks as installed_attacks
from quantleak.attacks.named import published as published
from quantleak.attacks.pairing import Apart as Apart
from quantleak.attacks.pairing import Attack as Attack
from quantleak.attacks.pairing import LeaveOneOut as LeaveOneOut
from quantleak.attacks.pairing import Pairing as Pairing
from quantleak.attacks.pairing import Signals as Signals
from quantleak.attacks.per_example import Calibrated as Calibrated
from quantleak.attacks.per_example import calibrated as calibrated
from quantleak.attacks.per_example import per_example as per_example
from quantleak.attacks.pipeline import Attacked as Attacked
from quantleak.attacks.pipeline import Mode as Mode
from quantleak.attacks.pipeline import attack_all as attack_all
from quantleak.attacks.pipeline import score as score
from quantleak.attacks.recalibrate import CannotRecalibrate as CannotRecalibrate
from quantleak.attacks.recalibrate import affine_map as affine_map
from quantleak.attacks.recalibrate import monotone_map as monotone_map
from quantleak.attacks.recalibrate import recalibrate as recalibrate
from quantleak.attacks.rmia import RMIA as RMIA
from quantleak.attacks.rmia import rmia as rmia
from quantleak.attacks.score import log_density as log_density
from quantleak.attacks.score import log_probability as log_probability
from quantleak.attacks.score import negative_squared_error as negative_squared_error
from quantleak.attacks.score import phi as phi
from quantleak.attacks.score import phi_binary as phi_binary
from quantleak.attacks.score import residual_phi as residual_phi
from quantleak.attacks.shadows import NotEnoughShadows as NotEnoughShadows
