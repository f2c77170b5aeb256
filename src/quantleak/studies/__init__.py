"""Studies of papers: `study("synthetic")` finds one, `register` adds one, `quantleak reproduce` runs one."""

from quantleak.studies.registry import names as names
from quantleak.studies.registry import register as register
from quantleak.studies.registry import study as study
