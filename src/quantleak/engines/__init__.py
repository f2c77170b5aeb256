"""Where jobs run; the order in which they end never changes a number."""

from quantleak.engines.keeper import Keeper as Keeper
from quantleak.engines.keeper import Progress as Progress
from quantleak.engines.local import Job as Job
from quantleak.engines.local import one_thread as one_thread
from quantleak.engines.local import processors as processors
from quantleak.engines.local import run as run
