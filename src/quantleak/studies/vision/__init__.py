"""The study of arXiv 2512.15335, judged under its attacker and under one who quantizes the shadows too."""

from quantleak.studies.vision.findings import Findings as Findings
from quantleak.studies.vision.findings import find as find
from quantleak.studies.vision.jobs import Vision as Vision
from quantleak.studies.vision.study import STUDY as STUDY
