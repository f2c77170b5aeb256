"""What every study needs: figures and their style, rankings, the strongest attack."""

from quantleak.studies.common.figure import Figure as Figure
