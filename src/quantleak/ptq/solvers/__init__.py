"""Quantization of one weight matrix: grids, rounding to nearest, OBQ in a fixed order and greedily, learned rounding.

Everything here works on weights `[groups, rows, columns]` and knows no modules. Start at `Grid.search`.
"""

from quantleak.ptq.solvers.adaround import learn_rounding as learn_rounding
from quantleak.ptq.solvers.gram import Gram as Gram
from quantleak.ptq.solvers.gram import product as product
from quantleak.ptq.solvers.grid import Grid as Grid
from quantleak.ptq.solvers.obq import compensated as compensated
from quantleak.ptq.solvers.obq import obq as obq
from quantleak.ptq.solvers.rounding import Penalty as Penalty
from quantleak.ptq.solvers.rounding import SoftRounding as SoftRounding
