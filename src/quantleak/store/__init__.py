"""Everything on disk: written aside and renamed, checked when read, continued after a kill."""

from quantleak.store.files import read_arrays as read_arrays
from quantleak.store.files import read_json as read_json
from quantleak.store.files import write as write
from quantleak.store.files import write_arrays as write_arrays
from quantleak.store.files import write_json as write_json
from quantleak.store.folder import RESULTS_VERSION as RESULTS_VERSION
from quantleak.store.folder import Folder as Folder
from quantleak.store.folder import begun as begun
from quantleak.store.folder import differences as differences
from quantleak.store.folder import identity_hash as identity_hash
from quantleak.store.folder import seal as seal
from quantleak.store.folder import verify as verify
