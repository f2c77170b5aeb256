"""The figures and tables of the vision study, one per file: those of paper B, and ours."""

from quantleak.studies.common import Figure as Figure
from quantleak.studies.vision.figures.against_accuracy import against_accuracy
from quantleak.studies.vision.figures.attacks import attacks
from quantleak.studies.vision.figures.calibration import calibration
from quantleak.studies.vision.figures.examples import examples
from quantleak.studies.vision.figures.heads import heads
from quantleak.studies.vision.figures.layers import layers
from quantleak.studies.vision.figures.mismatch import mismatch
from quantleak.studies.vision.figures.scores import scores
from quantleak.studies.vision.figures.toy import toy
from quantleak.studies.vision.figures.weaker import weaker
from quantleak.studies.vision.findings import Findings


def figures(findings: Findings) -> list[Figure]:
    """All figures, in the order in which the page shows them; without those that the study left nothing to draw."""
    drawn = (against_accuracy, mismatch, toy, weaker, heads, layers, examples, calibration, attacks, scores)
    made = [draw(findings) for draw in drawn]
    return [figure for figure in made if figure is not None]
