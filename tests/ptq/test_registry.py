from __future__ import annotations

import pytest

from quantleak.errors import InputError
from quantleak.ptq import Elementwise, available, procedure, register
from quantleak.ptq.registry import PROCEDURES
from quantleak.quantizers import quantizer


def test_every_quantizer_is_found() -> None:
    for line in available():
        found = procedure(line.example)
        assert procedure(found.spec) == found
        assert (found.spec == quantizer(line.example).spec) if isinstance(found, Elementwise) else found.name
    assert procedure(quantizer("sign")) == procedure("sign")


def test_names_are_refused_or_hinted_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROCEDURES, "kinds", {"rounding": Elementwise})
    with pytest.raises(InputError, match="'sign' is taken by a quantizer"):
        register("sign")(Elementwise)
    with pytest.raises(InputError, match="Did you mean 'rounding'"):
        procedure("roundin:4")
    with pytest.raises(InputError, match="Did you mean 'ternary'"):
        procedure("ternaru:0.5")
