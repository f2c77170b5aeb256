"""The synthetic study of paper A (section 5.1, appendix E), with the ground truth and the controls that it lacks."""

from quantleak.studies.synthetic.findings import Findings as Findings
from quantleak.studies.synthetic.findings import find as find
from quantleak.studies.synthetic.jobs import Synthetic as Synthetic
from quantleak.studies.synthetic.jobs import Tables as Tables
from quantleak.studies.synthetic.study import STUDY as STUDY
