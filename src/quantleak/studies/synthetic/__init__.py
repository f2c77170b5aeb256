"""The synthetic study of paper A (section 5.1, appendix E), with the ground truth and the controls that it lacks."""

from quantleak.studies.synthetic.claims import judge as judge
from quantleak.studies.synthetic.findings.findings import Findings as Findings
from quantleak.studies.synthetic.findings.findings import find as find
from quantleak.studies.synthetic.jobs.settings import PRESETS as PRESETS
from quantleak.studies.synthetic.jobs.settings import Synthetic as Synthetic
from quantleak.studies.synthetic.jobs.study import Tables as Tables
from quantleak.studies.synthetic.jobs.study import run_study as run_study
