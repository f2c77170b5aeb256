"""Where jobs run; the order in which they end never changes a number."""

from quantleak.engines.engine import Engine as Engine
from quantleak.engines.engine import Job as Job
from quantleak.engines.local import Local as Local
from quantleak.engines.local import processors as processors
from quantleak.engines.runner import Progress as Progress
from quantleak.engines.runner import Results as Results
from quantleak.engines.runner import Runner as Runner
from quantleak.engines.threads import InOneThread as InOneThread
