"""The jobs of the synthetic study: settings, training, attacks, exact ground truth; `run_jobs` runs them."""

from quantleak.studies.synthetic.jobs.run import CELL as CELL
from quantleak.studies.synthetic.jobs.run import Tables as Tables
from quantleak.studies.synthetic.jobs.run import run_jobs as run_jobs
from quantleak.studies.synthetic.jobs.settings import Synthetic as Synthetic
