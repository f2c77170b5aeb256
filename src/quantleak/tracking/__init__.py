"""Algorithm 1 in anyone's training loop: r_Q of every quantizer from a module and a loader, after each epoch."""

from .record import TrackedRates as TrackedRates
from .tracker import TrajectoryTracker as TrajectoryTracker
