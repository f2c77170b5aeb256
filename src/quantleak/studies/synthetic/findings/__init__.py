"""What the tables of the synthetic study say, as numbers for its figures and claims."""

from quantleak.studies.synthetic.findings.findings import Findings as Findings
