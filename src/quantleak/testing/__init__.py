"""Test suites for plug-ins of other packages: plain functions that raise `AssertionError` in plain words.

Call them from your own tests: `check_quantizer("my-rule:3")`, `check_procedure("my-method:4")`, `check_attack(attack)`,
`check_source(open, "")`, `check_engine(MyEngine)`, `check_pairing(pair)`. quantleak's own pass the same checks.
"""

from quantleak.testing.attack import check_attack as check_attack
from quantleak.testing.engine import check_engine as check_engine
from quantleak.testing.pairing import check_pairing as check_pairing
from quantleak.testing.procedure import check_procedure as check_procedure
from quantleak.testing.quantizer import check_quantizer as check_quantizer
from quantleak.testing.source import check_source as check_source
