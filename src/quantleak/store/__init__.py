"""Files on disk that are whole or not there, and the folder of a run, which goes on where it was stopped."""

from quantleak.store.files import read_arrays as read_arrays
from quantleak.store.files import read_json as read_json
from quantleak.store.files import write as write
from quantleak.store.files import write_arrays as write_arrays
from quantleak.store.files import write_json as write_json
from quantleak.store.folder import RESULTS_VERSION as RESULTS_VERSION
from quantleak.store.folder import Folder as Folder
from quantleak.store.folder import differences as differences
from quantleak.store.folder import identity_hash as identity_hash
from quantleak.store.folder import read_run as read_run
from quantleak.store.folder import verify as verify
from quantleak.store.folder import write_manifest as write_manifest
from quantleak.store.output import Arrays as Arrays
from quantleak.store.output import Output as Output
