"""Data sets and how they are cut.

A `Dataset` comes from a file (`read_table`, `read_molecules`), from scikit-learn (`bundled`) or from memory
(`from_arrays`, `from_frame`); `Mixture` is the synthetic distribution. `split` cuts it into parts, `membership` says
which model trains on which example.
"""

from quantleak.data.arrays import from_arrays as from_arrays
from quantleak.data.bundled import available as available
from quantleak.data.bundled import bundled as bundled
from quantleak.data.dataset import Dataset as Dataset
from quantleak.data.dataset import Provenance as Provenance
from quantleak.data.membership import membership as membership
from quantleak.data.mixture import Mixture as Mixture
from quantleak.data.mixture import Sample as Sample
from quantleak.data.molecules import read_molecules as read_molecules
from quantleak.data.named import descriptions as descriptions
from quantleak.data.named import named as named
from quantleak.data.split import Split as Split
from quantleak.data.split import split as split
from quantleak.data.table import from_frame as from_frame
from quantleak.data.table import read_table as read_table
