"""The jobs of the vision study, and everything that fixes their numbers."""

from quantleak.studies.vision.jobs.attack import ADAPTIVE as ADAPTIVE
from quantleak.studies.vision.jobs.attack import ANY as ANY
from quantleak.studies.vision.jobs.attack import FPR as FPR
from quantleak.studies.vision.jobs.attack import NONE as NONE
from quantleak.studies.vision.jobs.attack import ONLINE as ONLINE
from quantleak.studies.vision.jobs.attack import PUBLISHED as PUBLISHED
from quantleak.studies.vision.jobs.attack import RECALIBRATED as RECALIBRATED
from quantleak.studies.vision.jobs.attack import STRONGEST as STRONGEST
from quantleak.studies.vision.jobs.attack import TRANSFER as TRANSFER
from quantleak.studies.vision.jobs.attack import RowOutput as RowOutput
from quantleak.studies.vision.jobs.rows import FOLLOWED as FOLLOWED
from quantleak.studies.vision.jobs.rows import HEAD as HEAD
from quantleak.studies.vision.jobs.rows import HEAD_ALONE as HEAD_ALONE
from quantleak.studies.vision.jobs.rows import LAYER as LAYER
from quantleak.studies.vision.jobs.rows import NEAREST as NEAREST
from quantleak.studies.vision.jobs.rows import NOISE as NOISE
from quantleak.studies.vision.jobs.rows import WIDTH as WIDTH
from quantleak.studies.vision.jobs.rows import Row as Row
from quantleak.studies.vision.jobs.run import SMALLER as SMALLER
from quantleak.studies.vision.jobs.run import Ran as Ran
from quantleak.studies.vision.jobs.run import Trained as Trained
from quantleak.studies.vision.jobs.run import run_jobs as run_jobs
from quantleak.studies.vision.jobs.run import stopped_name as stopped_name
from quantleak.studies.vision.jobs.settings import METHODS as METHODS
from quantleak.studies.vision.jobs.settings import TERNARY as TERNARY
from quantleak.studies.vision.jobs.settings import Vision as Vision
