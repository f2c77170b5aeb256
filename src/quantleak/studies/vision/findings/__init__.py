"""What the jobs of the vision study say, with intervals: the tables behind figures, claims and words."""

from quantleak.studies.vision.findings.controls import NOISE_CONTROL as NOISE_CONTROL
from quantleak.studies.vision.findings.controls import STOPPED_CONTROL as STOPPED_CONTROL
from quantleak.studies.vision.findings.findings import STOPPED as STOPPED
from quantleak.studies.vision.findings.findings import Findings as Findings
from quantleak.studies.vision.findings.findings import find as find
from quantleak.studies.vision.findings.measured import Measured as Measured
from quantleak.studies.vision.findings.mismatch import LOW as LOW
from quantleak.studies.vision.findings.mismatch import METRIC as METRIC
from quantleak.studies.vision.findings.mismatch import PAPERS as PAPERS
from quantleak.studies.vision.findings.mismatch import POOLED as POOLED
from quantleak.studies.vision.findings.resampling import limits as limits
from quantleak.studies.vision.findings.resampling import resampled as resampled
