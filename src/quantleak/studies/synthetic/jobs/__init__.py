"""The jobs of the synthetic study: settings, training, attacks, exact ground truth; `run_study` runs them."""

from quantleak.studies.synthetic.jobs.settings import Synthetic as Synthetic
from quantleak.studies.synthetic.jobs.study import Tables as Tables
