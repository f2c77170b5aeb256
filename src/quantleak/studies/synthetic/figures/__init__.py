"""The study's figures and tables, one per file: those of paper A, and ours."""

from quantleak.studies.common import Figure as Figure
from quantleak.studies.synthetic.figures.accuracies import accuracies
from quantleak.studies.synthetic.figures.against_accuracy import against_accuracy
from quantleak.studies.synthetic.figures.against_attack import against_attack
from quantleak.studies.synthetic.figures.agreement import agreement
from quantleak.studies.synthetic.figures.exact import exact
from quantleak.studies.synthetic.figures.exact_ranking import exact_ranking
from quantleak.studies.synthetic.figures.functions import functions
from quantleak.studies.synthetic.figures.large_n import large_n
from quantleak.studies.synthetic.figures.models_needed import models_needed
from quantleak.studies.synthetic.figures.needed import needed
from quantleak.studies.synthetic.figures.perceptrons import perceptrons
from quantleak.studies.synthetic.figures.projections import projections
from quantleak.studies.synthetic.figures.rank_stability import rank_stability
from quantleak.studies.synthetic.findings import Findings


def figures(findings: Findings) -> list[Figure]:
    """All figures, in the order in which the page shows them; without those that the study left nothing to draw."""
    study, tables = findings.study, findings.tables
    made = [
        against_attack(study, tables, findings),
        agreement(study, findings),
        rank_stability(study, tables, findings),
        models_needed(study, tables, findings),
        needed(study, findings),
        large_n(study, tables, findings),
        perceptrons(study, tables, findings),
        exact(tables),
        exact_ranking(tables),
        against_accuracy(study, tables),
        accuracies(study, tables),
        functions(),
        projections(study),
    ]
    return [figure for figure in made if figure is not None]
