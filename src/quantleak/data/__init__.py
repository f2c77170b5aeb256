"""Data sets and how they are cut.

A `Dataset` comes from a file (`read_table`, `read_molecules`), a folder of images (`read_images`), from scikit-learn
(`bundled`) or from memory (`from_arrays`, `from_frame`); `Mixture` is the synthetic distribution. `split` cuts it into
parts, `membership` says which model trains on which example.
"""

from quantleak.data.arrays import from_arrays as from_arrays
from quantleak.data.dataset import Dataset as Dataset
from quantleak.data.dataset import Provenance as Provenance
from quantleak.data.membership import membership as membership
from quantleak.data.sources.bundled import available as available
from quantleak.data.sources.bundled import bundled as bundled
from quantleak.data.sources.images import matching_images as matching_images
from quantleak.data.sources.images import read_images as read_images
from quantleak.data.sources.mixture import Mixture as Mixture
from quantleak.data.sources.mixture import Sample as Sample
from quantleak.data.sources.molecules import read_molecules as read_molecules
from quantleak.data.sources.named import descriptions as descriptions
from quantleak.data.sources.named import named as named
from quantleak.data.split import Split as Split
from quantleak.data.split import split as split
from quantleak.data.tabular.table import from_frame as from_frame
from quantleak.data.tabular.table import read_table as read_table
