"""The set of distinct quantized models that a training run visits, and what their losses say.

`TrajectoryTracker` follows the training loop of a user, `Recorder` a fleet; both fill the same kind of set.
"""

from quantleak.trajectory.tracked import TrackedRates as TrackedRates
from quantleak.trajectory.tracker import TrajectoryTracker as TrajectoryTracker
from quantleak.trajectory.trajectory import Trajectory as Trajectory
